"""Rounds in turn: every case and contestant once, then again, so that a slow quarter of an hour hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.comparison.cases import Case
from benchmarks.comparison.results import (
    SPANLOOM,
    Cost,
    Described,
    Failure,
    Machine,
    Results,
    Run,
)
from benchmarks.parts import BenchmarkError
from benchmarks.throughput import Measured


@dataclass(frozen=True)
class Turn:
    """One run that is to be done."""

    round: int
    """From 1 on; also the seed of its load, so that all contestants of a round get the same one."""
    case: Case
    contestant: str


def turns(cases: Sequence[Case], rounds: int) -> Iterator[Turn]:
    """All runs in their order. Contestants move up one place each round, so that none always goes first."""
    for number in range(1, rounds + 1):
        for case in cases:
            shift = (number - 1) % len(case.contestants)
            for contestant in case.contestants[shift:] + case.contestants[:shift]:
                yield Turn(number, case, contestant)


def compare(
    cases: Sequence[Case],
    rounds: int,
    machine: Machine,
    measure: Callable[[Turn], Measured],
    say: Callable[[str], None],
) -> Results:
    """Do all runs, and say a line for each.

    Args:
        measure: does one.

    Raises:
        BenchmarkError: spanloom was not exact, or did not come to its end. That of a rival is noted.
    """
    runs: list[Run] = []
    failures: list[Failure] = []
    began, planned = time.monotonic(), list(turns(cases, rounds))
    for number, turn in enumerate(planned, 1):
        case, contestant = turn.case.name, turn.contestant
        try:
            measured = measure(turn)
        except BenchmarkError as error:
            if contestant == SPANLOOM:
                raise BenchmarkError(f"spanloom did not finish {case}, round {turn.round}: {error}") from None
            failures.append(Failure(case, contestant, turn.round, str(error)))
            outcome = f"failed: {error}"
        else:
            if contestant == SPANLOOM and not measured.exact:
                raise BenchmarkError(
                    f"spanloom was not exact in {case}, round {turn.round} (differences: {len(measured.wrong)}):"
                    f" {measured.wrong[0]}"
                )
            runs.append(run_of(turn, measured))
            outcome = _outcome(runs[-1])
        minutes = (time.monotonic() - began) / 60
        say(
            f"[{number} of {len(planned)}, {minutes:.1f} min] round {turn.round}, {case}, {contestant}: {outcome}"
        )
    described = tuple(Described(case.name, case.words) for case in cases)
    return Results(machine, described, tuple(runs), tuple(failures))


def run_of(turn: Turn, measured: Measured) -> Run:
    """Return a measurement as costs a span."""
    seconds = measured.cpu_since_ready, measured.database_cpu, measured.broker_cpu, measured.looking_cpu
    return Run(
        case=turn.case.name,
        contestant=turn.contestant,
        round=turn.round,
        spans=measured.spans,
        cost=Cost(*(1e6 * one / measured.spans for one in seconds)),
        wall=measured.wall,
        peak_rss=measured.peak_rss,
        wrong=len(measured.wrong),
    )


def _outcome(run: Run) -> str:
    cost = run.cost
    return (
        f"{run.spans:,} spans, µs each: worker {cost.worker:.1f}, database {cost.database:.1f},"
        f" broker {cost.broker:.1f}; {f'{run.wrong} sessions wrong' if run.wrong else 'exact'}"
    )
