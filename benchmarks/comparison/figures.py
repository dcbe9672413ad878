"""What many runs come to: medians, and ratios of runs of the same round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.comparison.results import Cost, Results, Run

Part = Callable[[Cost], float]
"""Which of the costs."""

PARTS: dict[str, Part] = {
    "worker": lambda cost: cost.worker,
    "database": lambda cost: cost.database,
    "broker": lambda cost: cost.broker,
    "looking": lambda cost: cost.looking,
    "sum": lambda cost: cost.sum,
}


@dataclass(frozen=True)
class Figures:
    """A contestant in a case; medians over the rounds in which it came to its end."""

    cost: Cost
    peak_rss: float
    """Bytes."""
    spread: float
    """Of the sum of costs: from the least to the most of the rounds, as a part of the median."""
    wrong: int
    """Differences from the truth in the worst round."""


def runs_of(results: Results, case: str, contestant: str) -> list[Run]:
    """The runs of a contestant in a case."""
    return [run for run in results.runs if (run.case, run.contestant) == (case, contestant)]


def figures(results: Results, case: str, contestant: str) -> Figures | None:
    """What the runs of a contestant in a case come to; None if none came to its end."""
    runs = runs_of(results, case, contestant)
    if not runs:
        return None
    sums = [run.cost.sum for run in runs]
    worker, database, broker, looking = (
        median(PARTS[part](run.cost) for run in runs) for part in ("worker", "database", "broker", "looking")
    )
    return Figures(
        cost=Cost(worker, database, broker, looking),
        peak_rss=median(run.peak_rss for run in runs),
        spread=(max(sums) - min(sums)) / median(sums),
        wrong=max(run.wrong for run in runs),
    )


def ratio(results: Results, case: str, part: str, one: str, other: str) -> float | None:
    """How many times what `other` costs `one` costs: the median of the ratios within each round.

    A machine that is slow for a while is slow for both of a round. None if no round has both.
    """
    found = {run.round: PARTS[part](run.cost) for run in runs_of(results, case, other)}
    ratios = [
        PARTS[part](run.cost) / found[run.round]
        for run in runs_of(results, case, one)
        if found.get(run.round)
    ]
    return median(ratios) if ratios else None
