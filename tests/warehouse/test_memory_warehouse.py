"""The warehouse in memory, over which the law of the worker is tested, answers as ClickHouse does."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa

from spanloom.warehouse import lookup
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.write import insert
from tests.agents.law.memory_warehouse import MemoryWarehouse, Row, rows_of
from tests.agents.law.simulation import SOURCE, Forget, Simulation, Step
from tests.integration.otlp import llm, message, span

MINUTE = 60_000
START = 1_795_000_000_000


class Recorded(MemoryWarehouse):
    """Notes what is inserted."""

    def __init__(self) -> None:
        super().__init__()
        self.inserts: list[tuple[str, pa.Table]] = []

    async def insert_arrow(self, table: str, rows: pa.Table, settings: Any) -> None:
        """Insert, and note it."""
        self.inserts.append((table, rows))
        await super().insert_arrow(table, rows, settings)


def inserted() -> list[tuple[str, pa.Table]]:
    """What a worker inserts for two traces that both move to another session, of one span twice; of one trace the first
    span is forgotten."""
    simulation = Simulation(START - 24 * 60 * MINUTE)
    recorded = simulation.warehouse = Recorded()
    simulation.restart()
    begin = START * 1_000_000
    for number, spans in enumerate(
        (
            [llm(1, 2, 1, start=begin, gen_ai__conversation__id="old")],
            [span(1, 1, start=begin, session__id="new"), span(2, 1, start=begin)],
            [span(2, 1, start=begin), llm(2, 2, 1, start=begin, session__id="new")],
        )
    ):
        simulation.produce(message(*spans), START + number)
    steps = [Step(stage, 1) for _ in range(3) for stage in ("ingest", "traces", "sessions")]
    asyncio.run(simulation.run(steps))
    simulation.forget(Forget(trace=1, until=START))
    asyncio.run(simulation.run([]))
    assert not simulation.log.lag([SOURCE])
    return recorded.inserts


async def answers(warehouse: Warehouse, traces: list[Any], windows: list[Any]) -> list[list[Row]]:
    """The answers to the worker's look-ups, sorted."""
    tables = [
        await lookup.span_facts(warehouse, traces),
        await lookup.span_versions(warehouse, traces),
        await lookup.forgotten_up_to(warehouse, traces),
        await lookup.placed_traces(warehouse, traces),
        await lookup.window_contributions(warehouse, windows),
        await lookup.window_versions(warehouse, windows),
        await lookup.window_withdrawals(warehouse, windows),
        await lookup.latest_ends(warehouse, START - 1),
        await lookup.latest_ends(warehouse, START + MINUTE),
    ]
    return [sorted(rows_of(table), key=repr) for table in tables]


def test_it_answers_as_clickhouse_does(warehouse: Warehouse) -> None:
    memory = MemoryWarehouse()
    inserts = inserted()

    async def ask() -> tuple[list[list[Row]], list[list[Row]]]:
        for table, rows in [*inserts, *reversed(inserts)]:  # an older row that comes late changes nothing
            await insert(memory, table, rows)
            await insert(warehouse, table, rows)
        traces = [("default", f"{number:032x}") for number in (1, 2, 3)]
        hour = START // 1000 - START // 1000 % 3600
        windows = [("default", session, hour) for session in ("old", "new", "none")]
        return await answers(memory, traces, windows), await answers(warehouse, traces, windows)

    ours, theirs = asyncio.run(ask())
    assert [len(rows) for rows in ours] == [3, 3, 1, 5, 2, 2, 1, 1, 0]
    assert ours == theirs
