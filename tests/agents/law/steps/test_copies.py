"""An older copy of the database is noticed partition by partition, whatever others have written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanloom.agents.state.clock import timestamp_of
from spanloom.agents.state.trace.pace import Pace
from spanloom.spans.folding.facts import TraceKey, partition_of
from tests.agents.law.cases import HOUR, MINUTE, START, Case, Message, SpanOf
from tests.agents.law.judge import differences, expected, run
from tests.agents.law.memory_warehouse import TRACES, Key, Row
from tests.agents.law.simulation import STAGES, Event, Simulation, Step
from tests.agents.law.steps.disasters import OtherDatabase, copied
from tests.agents.law.steps.test_owed import LONG

FIRST = START + 3 * MINUTE
ROUND = tuple(Step(stage, 1) for stage in STAGES)
SETTLE = tuple(Step(stage, 0) for stage in STAGES[1:])


def traces_of(partition: int) -> list[int]:
    numbers = range(1, 99)
    return [n for n in numbers if partition_of(TraceKey("default", n.to_bytes(16)), 2) == partition]


HERE, ALSO_HERE = traces_of(0)[:2]
THERE = traces_of(1)[0]


class Backup:
    """A copy that is made at one time and restored at another."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Key, Row]] = {}

    async def happen(self, simulation: Simulation) -> None:
        """It is made."""
        self.tables = copied(simulation.warehouse)

    def restored(self) -> Event:
        """Return what restores it."""
        backup = self

        class Restored:
            async def happen(self, simulation: Simulation) -> None:
                await OtherDatabase(backup.tables, rewound=False).happen(simulation)

        return Restored()


class OnePartitionFirst:
    """Partition 0 is another worker's, which comes first."""

    async def happen(self, simulation: Simulation) -> None:
        """It begins, and writes what it owes."""
        work = simulation._work["traces"]
        every = work._states
        work._states = lambda: {0: every()[0]}
        while (writes := await work.settle()) is not None:
            await simulation._checkpoint(writes, Step("traces", 0))
        work._states = every


class Tick:
    """Seconds go by for the rows that are put off."""

    async def happen(self, simulation: Simulation) -> None:
        """Long enough for all of them."""
        simulation._seconds += 10_000


class Idle:
    """Nothing comes for more than a day."""

    async def happen(self, simulation: Simulation) -> None:
        """It goes by."""
        simulation._now += 25 * HOUR


def root(start: int, session: str = "s") -> SpanOf:
    return SpanOf(0, start, session, "session__id", calls=True)


def check(
    spans: dict[tuple[int, int], SpanOf],
    *messages: tuple[int, int, int],
    steps: list[Step | Event],
    partitions: int = 2,
    pace: Pace | None = None,
) -> None:
    some = tuple(Message(((trace, number),), timestamp, 0) for trace, number, timestamp in messages)
    case = Case(START - 24 * HOUR, True, partitions, spans, some, tuple(steps))
    if pace is not None:
        case = replace(case, pace=pace)
    assert not differences(run(case), expected(case, {}))


@pytest.mark.parametrize("ahead", [0, 2 * MINUTE])
def test_the_clock_of_another_partition_was_ahead_when_it_was_made(ahead: int) -> None:
    backup = Backup()
    check(
        {
            (THERE, 1): root(0, "t"),
            (HERE, 1): root(0),
            (HERE, 2): SpanOf(1, 1, "s", "session__id", calls=True),
        },
        (THERE, 1, FIRST + ahead),
        (HERE, 1, FIRST),
        (HERE, 2, FIRST + MINUTE),
        steps=[*ROUND * 2, backup, *ROUND, backup.restored(), *SETTLE],
    )


@pytest.mark.parametrize("later", [-1000, 0, 1000])
@pytest.mark.parametrize("first", [[], [OnePartitionFirst()], [Idle(), OnePartitionFirst()]])
def test_another_worker_has_begun_with_it_before(first: list[Event], later: int) -> None:
    backup = Backup()
    check(
        {
            (THERE, 1): root(0, "t"),
            (THERE, 2): SpanOf(1, 1, "t", "session__id", calls=True),
            (HERE, 1): root(0),
            (ALSO_HERE, 1): root(1),
        },
        (THERE, 1, FIRST),
        (HERE, 1, FIRST),
        (THERE, 2, FIRST + MINUTE),
        (ALSO_HERE, 1, FIRST + MINUTE + later),
        steps=[*ROUND * 2, backup, *ROUND * 2, backup.restored(), *first, *SETTLE],
    )


SLOWLY = {
    (1, number): SpanOf(int(number > 1), number, "s", "session__id", calls=True) for number in (1, 2, 3)
}
"""A trace whose later rows are put off."""


def test_the_last_row_was_put_off_and_is_older_than_another_one() -> None:
    backup = Backup()
    check(
        {**SLOWLY, (2, 1): root(5, "t")},
        (1, 1, FIRST),
        (1, 2, FIRST + 1),
        (1, 3, FIRST + 2),
        (2, 1, FIRST + 3),
        steps=[
            *ROUND * 4,
            backup,
            Tick(),
            *SETTLE,
            Step("sessions", 9),
            backup.restored(),
            *SETTLE,
        ],
        partitions=1,
        pace=LONG,
    )


def test_the_copy_has_spans_of_a_trace_and_an_older_row() -> None:
    backup = Backup()
    check(
        SLOWLY,
        (1, 1, FIRST),
        (1, 2, FIRST + 1),
        (1, 3, FIRST + 2),
        steps=[
            *ROUND,
            Step("ingest", 1),
            backup,
            Tick(),
            *ROUND,
            Step("sessions", 1),
            Step("ingest", 1),
            Step("traces", 1),
            backup.restored(),
            *SETTLE,
        ],
        partitions=1,
        pace=LONG,
    )


def test_the_copy_has_the_spans_of_a_trace_and_not_its_row() -> None:
    backup = Backup()
    case = Case(
        START - 24 * HOUR,
        True,
        1,
        {(1, 1): root(0)},
        (Message(((1, 1),), FIRST, 0),),
        (Step("ingest", 1), backup, *ROUND * 2, backup.restored(), *SETTLE),
    )
    done = run(case)
    assert not differences(done, expected(case, {}))
    times = [timestamp_of(row["version"]) for row in done.warehouse.tables[TRACES].values()]
    assert min(times) >= FIRST, "retention goes by them"
