"""The law has teeth: each deliberate break of the worker is found, and what finds it holds without the break."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.agents.law.breaks import BREAKS
from tests.agents.law.cases import HOUR, MINUTE, START, Case, Message, SpanOf, cases
from tests.agents.law.judge import holds
from tests.agents.law.simulation import Forget, Step
from tests.agents.law.steps.kills import Trouble, every_kill, wrong
from tests.agents.law.steps.machine import Worker

SEARCHED = (
    "no_look_up",
    "version_not_raised",
    "acknowledged_before_the_changelog",
    "no_withdrawal",
    "forgotten_comes_back",
    "shared_pieces_stay",
    "adopted_under_the_version_before",
)
"""Found by any search of some hundred cases; the others are drawn once in thousands, or never."""


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


AT_A_STEP = {
    "no_look_up": "a row put off",
    "version_not_raised": "a trace that moves",
    "acknowledged_before_the_changelog": "a trace that moves",
    "no_withdrawal": "a trace that moves",
    "clock_after_the_tombstones": "forgotten in parts",
    "forgotten_comes_back": "forgotten on request",
    "shared_pieces_stay": "forgotten on request",
    "erasure_not_looked_up": "forgotten on request and closed",
    "adopted_under_the_version_before": "ingest ahead",
    "new_by_its_own_start": "an application's clock 25 minutes fast",
    "nothing_is_remembered": "a changelog begins anew, a trace is forgotten",
    "a_root_always_proves": "lost changelogs, several roots",
    "retention_as_it_is_today": "a longer retention",
}
"""By break a case of `test_every_step` that notices it."""

BY_THE_MACHINE = ("forgotten_comes_back", "no_withdrawal", "version_not_raised")
"""Breaks that some dozen runs of the machine notice. The others need a kill at one write and then one certain batch:
that takes hundreds of runs or more."""


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_noticed_at_some_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = AT_A_STEP[name]
    troubles = [
        Trouble(),
        *every_kill(case, None, compacts=False),
        *every_kill(case, 1, compacts=True),
        *every_kill(case, 9, compacts=True),
    ]
    BREAKS[name](monkeypatch)
    assert any(wrong(case, trouble)[0] for trouble in troubles)


@pytest.mark.parametrize("name", BY_THE_MACHINE)
def test_a_break_is_noticed_by_the_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BREAKS[name](monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Worker,
            settings=settings(
                max_examples=1_000,
                stateful_step_count=30,
                phases=[Phase.generate],
                database=None,
                derandomize=True,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


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
