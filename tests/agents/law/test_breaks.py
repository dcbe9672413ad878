"""The law has teeth: each deliberate break of the worker is found, and what finds it holds without the break."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from tests.agents.law.breaks import BREAKS
from tests.agents.law.cases import HOUR, MINUTE, START, Case, Message, SpanOf, cases
from tests.agents.law.judge import holds
from tests.agents.law.simulation import Forget, Step

SEARCHED = sorted(set(BREAKS) - {"clock_after_the_tombstones", "erasure_not_looked_up"})
"""Found by any search of some hundred cases."""


@pytest.mark.parametrize("name", SEARCHED)
def test_a_break_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BREAKS[name](monkeypatch)
    found = find(
        cases(),
        lambda case: not holds(case),
        random=Random(0),
        settings=settings(
            max_examples=5_000,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    monkeypatch.undo()
    assert holds(found)


def test_a_clock_behind_the_tombstones_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn once in thousands of cases, so here it is: a crash between two tombstones of a trace, a compaction, and a
    batch that holds the trace's last span beside the record by which it had been forgotten."""
    spans = {(1, number): SpanOf(number > 1, number, "s", "session__id", calls=True) for number in (1, 2, 3)}
    spans[2, 1] = SpanOf(0, 1, "t", "session__id", calls=True)
    first, later = START + 3 * MINUTE, START + 4 * HOUR
    case = Case(
        began=START - 24 * HOUR,
        served=True,
        partitions=1,
        spans=spans,
        messages=(
            Message(((1, 1),), first, 0),
            Message(((1, 2),), first, 0),
            Message(((2, 1),), later, 0),
            Message(((1, 3),), later, 0),
        ),
        steps=(
            *[Step("ingest", 1)] * 4,
            *[Step("traces", 1)] * 2,
            Step("traces", 1, crash=("changelog", 2), compact=True),
        ),
    )
    assert holds(case)
    BREAKS["clock_after_the_tombstones"](monkeypatch)
    assert not holds(case)


def test_an_erasure_that_is_not_looked_up_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn as rarely: the state has closed a forgotten trace, and a record comes that is older than its erasure."""
    spans = {(1, number): SpanOf(number > 1, number, "s", "session__id", calls=True) for number in (1, 2)}
    spans |= {(2, number): SpanOf(number > 1, number, "t", "session__id", calls=True) for number in (1, 2)}
    first, later = START + 3 * MINUTE, START + 4 * HOUR
    case = Case(
        began=START - 24 * HOUR,
        served=True,
        partitions=1,
        spans=spans,
        messages=(
            Message(((1, 1),), first, 0),
            Message(((2, 1),), later, 0),
            Message(((2, 2),), later + 1, 0),
            Message(((1, 2),), first, 0),
        ),
        steps=(
            Step("ingest", 1),
            Step("traces", 1),
            Forget(1, until=first),
            Step("traces", 1),
            *[Step("ingest", 1), Step("traces", 1)] * 3,
        ),
    )
    assert holds(case)
    BREAKS["erasure_not_looked_up"](monkeypatch)
    assert not holds(case)
