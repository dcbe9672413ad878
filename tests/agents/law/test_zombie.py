"""A worker that has lost its partitions and does not know it yet leaves nothing that stays."""

from __future__ import annotations

import asyncio

from spanloom.spans.folding.facts import TraceKey, partition_of
from tests.agents.law.cases import HOUR, START
from tests.agents.law.memory_warehouse import TRACES, WINDOWS
from tests.agents.law.simulation import PARTITIONS, SOURCE, TOPICS, Simulation, Step
from tests.integration.otlp import llm, message, span

TRACE = next(
    number
    for number in range(1, 99)
    if not partition_of(TraceKey("default", number.to_bytes(16)), PARTITIONS)
)


def test_a_row_of_less_under_the_same_version_is_overtaken() -> None:
    """Both look the trace up in ClickHouse for the same record, the other one when ingest has put more there.

    The row of the first comes last.
    """
    begin = START * 1_000_000
    ours = Simulation(START + HOUR)  # so that nothing is certainly new
    ours.produce(message(span(TRACE, 1, start=begin, session__id="s")), START)
    ours.produce(message(llm(TRACE, 2, 1, start=begin, session__id="s")), START + 1)
    zombie = Simulation(START + HOUR)
    zombie.log, zombie.warehouse = ours.log, ours.warehouse

    async def run() -> None:
        await zombie.step(Step("ingest", 1))
        zombie.restart()
        await zombie._work["traces"].settle()
        stale = await zombie._work["traces"](ours.log.due((TOPICS["traces"], 0), 1))
        await ours.run([Step("ingest", 1), Step("traces", 1)])
        for table, rows in stale.rows:
            await ours._insert(table, rows)

    asyncio.run(run())
    assert not ours.log.lag([SOURCE, *TOPICS.values()])
    assert ours.warehouse.ambiguous, "the case is not what it says"
    assert [row["span_count"] for row in ours.warehouse.live(TRACES).values()] == [2]
    assert [row["span_count"] for row in ours.warehouse.live(WINDOWS).values()] == [2]
