"""Runs the small fixed cases, killed before single writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from spanloom.spans.folding.facts import TraceKey
from spanloom.spans.pricing.prices import Prices
from tests.agents.law.cases import Case
from tests.agents.law.judge import differences, expected, run_as, spans_are_gone, texts_are_gone
from tests.agents.law.memory_warehouse import Key, Row
from tests.agents.law.simulation import Crash, Simulation, Step
from tests.agents.law.steps.scenarios import SCENARIOS


class Trouble(NamedTuple):
    """What disturbs a run."""

    kills: tuple[int, ...] = ()
    """The first is the number of the write before which the worker is killed, each further one counts from there."""
    size: int | None = None
    """Records of a batch after the first kill; None if batches are cut as before."""
    compacts: bool = False
    """Whether the changelogs are compacted after every batch."""


class Disturbed(Simulation):
    """A worker that is killed before some writes."""

    trouble = Trouble()
    """Of the next worker."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.writes = 0
        """How many there were since the last kill."""
        self.killed_before: list[str] = []
        """The places of the writes before which it was killed."""
        super().__init__(*args, **options)

    def _write(self, place: str) -> None:
        kills = self.trouble.kills
        self.writes += 1
        if len(self.killed_before) < len(kills) and self.writes == kills[len(self.killed_before)]:
            self.killed_before.append(place)
            self.writes = 0
            raise Crash

    async def step(self, step: Step) -> None:
        """Run one batch of one stage."""
        if self.killed_before and self.trouble.size and step.size:
            step = replace(step, size=self.trouble.size)
        await super().step(replace(step, compact=self.trouble.compacts))


def disturbed(case: Case, trouble: Trouble) -> Disturbed:
    """Run a case in trouble."""
    Disturbed.trouble = trouble
    return run_as(Disturbed, case)


@cache
def rows_of_all(
    name: str, forgotten: tuple[tuple[TraceKey, int], ...], prices: Prices
) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """Return the rows that follow from a case's spans."""
    return expected(SCENARIOS[name], dict(forgotten), prices)


@cache
def undisturbed(name: str, *, compacts: bool = False) -> Disturbed:
    """Run a case without trouble."""
    return disturbed(SCENARIOS[name], Trouble(compacts=compacts))


def wrong(name: str, trouble: Trouble) -> tuple[list[str], Disturbed]:
    """Return in words what is wrong after a run in trouble, and the worker."""
    case = SCENARIOS[name]
    simulation = disturbed(case, trouble)
    rows = rows_of_all(name, tuple(simulation.forgotten.items()), simulation.prices)
    found = differences(simulation, rows)
    if not spans_are_gone(simulation):
        found.append("a span is shown that was forgotten")
    if not texts_are_gone(simulation):
        found.append("a changelog holds what was forgotten")
    return [
        f"{name}, {trouble}, killed before {simulation.killed_before}: {one}" for one in found
    ], simulation


def every_kill(name: str, size: int | None, *, compacts: bool) -> Iterator[Trouble]:
    """Yield a kill before each write of a case."""
    for write in range(1, undisturbed(name, compacts=compacts).writes + 1):
        yield Trouble((write,), size, compacts)
