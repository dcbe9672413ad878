"""Comparisons made up of numbers."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.comparison.results import Cost, Described, Failure, Machine, ParseLimit, Results, Run

MACHINE = Machine("2026-11-28", "abc1234", "a processor", 2, 24 * 10**9, 0.1, "3.11.7", {"chdb": "4.4.0"})


def run(contestant: str, number: int, worker: float, database: float = 100.0, wrong: int = 0) -> Run:
    """A run of the case `chat`; µs of CPU a span, 10 of them the broker's; a MB of memory for each of the worker's."""
    cost = Cost(worker, database, broker=10.0, looking=5.0)
    return Run("chat", contestant, number, 1000, cost, 1.5, round(worker * 1e6), wrong)


def results(runs: Iterable[Run], failures: Iterable[Failure] = ()) -> Results:
    """A comparison in the one case `chat`."""
    return Results(
        MACHINE,
        (Described("chat", "chat, 1,000 spans"),),
        tuple(runs),
        tuple(failures),
        (ParseLimit("chat", 4.25, 2.85),),
    )
