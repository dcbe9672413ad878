"""What a worker owes stays owed: through restarts, kills, and however far the clock goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from spanloom.agents.state import keyed
from spanloom.agents.state.trace.pace import Pace
from tests.agents.law.cases import HOUR, MINUTE, SLOW, START, Case, Message, SpanOf
from tests.agents.law.judge import differences, expected, run
from tests.agents.law.simulation import STAGES, Event, Step
from tests.agents.law.steps.disasters import OtherDatabase, Restart

FIRST = START + 3 * MINUTE
LONG = Pace(few=0, growth=9.0, seconds_a_span=100.0)
"""A row that is put off stays so until its trace is forgotten."""

ROUND = tuple(Step(stage, 1) for stage in STAGES)
CALLS = {(1, number): SpanOf(number > 1, number, "s", "session__id", calls=True) for number in (1, 2, 3)}


def root(start: int, session: str = "s") -> SpanOf:
    return SpanOf(0, start, session, "session__id", calls=True)


def case(
    spans: dict[tuple[int, int], SpanOf],
    *messages: tuple[int, int, int],
    steps: Sequence[Step | Event],
) -> Case:
    some = tuple(Message(((trace, number),), timestamp, 0) for trace, number, timestamp in messages)
    return Case(START - 24 * HOUR, True, 1, spans, some, tuple(steps))


def check(some: Case) -> None:
    assert not differences(run(some), expected(some, {}))


@pytest.mark.parametrize("restart", [Restart(), Restart(600), Restart(24 * 3600)])
def test_a_row_put_off_of_records_that_are_dated_back(restart: Restart) -> None:
    spans = {**CALLS, (2, 1): root(50 * MINUTE), (3, 1): root(65 * MINUTE)}
    messages = (
        (1, 1, FIRST),
        (2, 1, START + 53 * MINUTE),
        (1, 2, FIRST + 1),
        (1, 3, FIRST + 2),
        (3, 1, START + 68 * MINUTE),
    )
    check(replace(case(spans, *messages, steps=(*ROUND * 5, restart, *ROUND)), pace=LONG))


def test_a_row_put_off_where_the_retention_is_shorter_after_a_restart() -> None:
    spans = {**CALLS, (2, 1): root(30 * MINUTE)}
    messages = (*((1, number, FIRST + number) for number in (1, 2, 3)), (2, 1, FIRST + 30 * MINUTE))
    check(replace(case(spans, *messages, steps=(*ROUND * 4, Restart(600), *ROUND)), pace=LONG))


def test_rows_put_off_that_are_more_than_one_portion_and_two_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed, "_PORTION", 1)
    traces = range(1, 4)
    spans = {
        (trace, number): SpanOf(number > 1, number, "s", "session__id", calls=True)
        for trace in traces
        for number in (1, 2)
    }
    messages = [(trace, number, FIRST + number) for number in (1, 2) for trace in traces]
    both = (Step("ingest", 3), Step("traces", 3))
    steps: tuple[Step | Event, ...] = (*both, *both, Restart(), Step("traces", 0), Restart())
    check(replace(case(spans, *messages, steps=steps), pace=SLOW))


def test_rows_for_another_database_that_are_more_than_one_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch that follows carries the clock on by hours."""
    monkeypatch.setattr(keyed, "_PORTION", 1)
    spans = {(trace, 1): root(trace, "stuv"[trace - 1]) for trace in range(1, 5)}
    spans[5, 1] = root(3 * HOUR, "w")
    messages = [(trace, 1, FIRST + trace) for trace in range(1, 5)]
    steps: list[Step | Event] = [*ROUND * 4, OtherDatabase(rewound=False), *ROUND]
    check(case(spans, *messages, (5, 1, START + 3 * HOUR + MINUTE), steps=steps))
