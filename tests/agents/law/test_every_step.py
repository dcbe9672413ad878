"""The law at every step: small fixed cases, killed before each single write, and again during the recovery.

A *write* is a table's rows, a message, a record of a changelog or a commit. After a kill the following batches are cut
otherwise, and the changelogs may have been compacted. Whatever was cut off, the rows are those of the undisturbed run,
and no version has named two contents.
"""

from __future__ import annotations

import os

import pytest

from tests.agents.law.memory_warehouse import SPANS, TRACES, WINDOWS
from tests.agents.law.steps.kills import Trouble, disturbed, every_kill, undisturbed, wrong
from tests.agents.law.steps.scenarios import SCENARIOS

TWICE = (
    "a trace that moves",
    "forgotten on request after retention",
    "an application's clock 25 minutes fast",
)
"""Cases that are small enough for pairs of kills."""

SPANS_LOST = ("a lost database, all open",)
"""Which spans come after the loss depends on what was killed."""

_EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "40"))

EVERY = max(1, 800 // _EXAMPLES)
"""Of the pairs of kills every twentieth is tried; all of them with TEST_EXAMPLES=800."""

WAYS_ON = [(None, False), (1, True), (9, False), *([(None, True), (1, False), (9, True)] * (_EXAMPLES > 40))]
"""After a kill: how many records a batch has, as before if None, and whether the changelogs are compacted. All six with
TEST_EXAMPLES above 40."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_undisturbed(name: str) -> None:
    faults, simulation = wrong(name, Trouble())
    assert not faults
    assert simulation.writes > 10
    assert simulation.warehouse.tables[TRACES]
    assert simulation.warehouse.tables[WINDOWS]


@pytest.mark.parametrize(("size", "compacts"), WAYS_ON)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_before_any_write_changes_no_row(name: str, size: int | None, compacts: bool) -> None:
    for trouble in every_kill(name, size, compacts=compacts):
        faults, simulation = wrong(name, trouble)
        assert not faults
        assert simulation.killed_before
        if simulation.forgotten == undisturbed(name).forgotten and name not in SPANS_LOST:
            assert simulation.warehouse.live(SPANS) == undisturbed(name).warehouse.live(SPANS), (
                name,
                trouble,
            )


@pytest.mark.parametrize("name", TWICE)
def test_a_second_kill_during_recovery_changes_no_row(name: str) -> None:
    for first in every_kill(name, 1, compacts=False):
        writes = disturbed(SCENARIOS[name], first).writes
        for second in range(1 + first.kills[0] % EVERY, writes + 1, EVERY):
            faults, simulation = wrong(name, first._replace(kills=(*first.kills, second)))
            assert not faults
            assert len(simulation.killed_before) == 2
