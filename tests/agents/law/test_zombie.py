"""A worker that has lost its partitions and does not know it yet leaves nothing that stays."""

from __future__ import annotations

import asyncio

import pytest

from spanloom.spans.folding.facts import TraceKey, partition_of
from tests.agents.law.cases import HOUR, START
from tests.agents.law.memory_warehouse import TRACES, WINDOWS
from tests.agents.law.simulation import PARTITIONS, SOURCE, TOPICS, Forget, Simulation, Step
from tests.integration.otlp import llm, message, span

BEGIN = START * 1_000_000
TRACE = next(
    number
    for number in range(1, 99)
    if not partition_of(TraceKey("default", number.to_bytes(16)), PARTITIONS)
)


def test_a_row_of_less_under_the_same_version_is_overtaken() -> None:
    """Both look the trace up in ClickHouse for the same record, the other one when ingest has put more there.

    The row of the first comes last.
    """
    ours = Simulation(START + HOUR, served=True)  # so that nothing is certainly new
    ours.produce(message(span(TRACE, 1, start=BEGIN, session__id="s")), START)
    ours.produce(message(llm(TRACE, 2, 1, start=BEGIN, session__id="s")), START + 1)
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


def test_a_row_where_the_trace_only_stood_for_the_other_is_taken_away() -> None:
    """The other one knew less when it wrote: no session, or one that a later span corrected.

    Ours finds all spans in ClickHouse with the first record already, so for it the trace never stood there.
    """
    first = message(llm(TRACE, 2, 1, start=BEGIN + 1, gen_ai__conversation__id="made up"))
    none = message(llm(TRACE, 3, 1, start=BEGIN + 2))
    root = message(span(TRACE, 1, start=BEGIN, session__id="s"))
    for known in ([none], [none, first]):
        ours = Simulation(START + HOUR, served=True)
        for number, value in enumerate([*known, root]):
            ours.produce(value, START + number)
        zombie = Simulation(START + HOUR)
        zombie.log, zombie.warehouse = ours.log, ours.warehouse
        asyncio.run(_late(ours, zombie, len(known)))
        assert [row["session_id"] for row in ours.warehouse.live(TRACES).values()] == ["s"]
        assert [row["session_id"] for row in ours.warehouse.live(WINDOWS).values()] == ["s"]


@pytest.mark.parametrize("starts", [(0, 0), (0, HOUR), (HOUR, 0)])
@pytest.mark.parametrize("sessions", [("a", "b"), ("a", ""), ("", "a"), ("a", "a")])
def test_a_row_of_what_a_span_said_before_it_was_sent_again_is_taken_away(
    starts: tuple[int, int], sessions: tuple[str, str]
) -> None:
    """The other one knew of a span what ingest has replaced in ClickHouse since, and ours has never counted."""
    sent = [
        message(llm(TRACE, 1, start=BEGIN + start * 1_000_000, session__id=session))
        for start, session in zip(starts, sessions, strict=True)
    ]
    ours = Simulation(START + HOUR, served=True)
    for number, value in enumerate(sent):
        ours.produce(value, START + number)
    zombie = Simulation(START + HOUR)
    zombie.log, zombie.warehouse = ours.log, ours.warehouse
    asyncio.run(_late(ours, zombie, 1))
    windows = [(row["session_id"], row["trace_count"]) for row in ours.warehouse.live(WINDOWS).values()]
    assert [row["session_id"] for row in ours.warehouse.live(TRACES).values()] == [sessions[1]]
    assert windows == ([(sessions[1], 1)] if sessions[1] else [])


async def _late(ours: Simulation, zombie: Simulation, records: int) -> None:
    """The zombie takes so many records, and writes what follows when ours has already written all."""
    await zombie.step(Step("ingest", records))
    zombie.restart()
    await zombie._work["traces"].settle()
    stale = await zombie._work["traces"](ours.log.due((TOPICS["traces"], 0), records))
    await ours.run([Step("ingest", 1)])
    for table, rows in stale.rows:
        await ours._insert(table, rows)
    for topic, messages in stale.messages.items():
        await ours.produce_records(topic, messages)
    await ours.run([])


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_contribution_that_comes_when_its_window_is_closed_stays_withdrawn(forgotten: bool) -> None:
    """The other one stands still between its rows and its messages, for hours; meanwhile the trace has moved, or was
    forgotten on request."""
    ours = Simulation(START - 24 * HOUR, served=True, partitions=1)
    ours.produce(message(llm(1, 2, 1, start=BEGIN + 1, gen_ai__conversation__id="made up")), START)
    zombie = Simulation(START - 24 * HOUR, served=True, partitions=1)
    zombie.log, zombie.warehouse = ours.log, ours.warehouse

    async def run() -> None:
        await zombie.step(Step("ingest", 9))
        zombie.restart()
        await zombie._work["traces"].settle()
        stale = await zombie._work["traces"](ours.log.due((TOPICS["traces"], 0), 9))
        ours.restart()
        if not forgotten:
            ours.produce(message(span(1, 1, start=BEGIN, session__id="s")), START + 1)
        await ours.run([])
        if forgotten:
            ours.forget(Forget(1, START))
            await ours.run([])
        for hours in (4, 8):
            start = BEGIN + hours * HOUR * 1_000_000
            ours.produce(message(llm(9, hours, start=start, session__id="other")), START + hours * HOUR)
        await ours.run([])
        for table, rows in stale.rows:
            await ours._insert(table, rows)
        for topic, messages in stale.messages.items():
            await ours.produce_records(topic, messages)
        await ours.run([])

    asyncio.run(run())
    sessions = [row["session_id"] for row in ours.warehouse.live(WINDOWS).values()]
    assert set(sessions) == ({"other"} if forgotten else {"s", "other"})
