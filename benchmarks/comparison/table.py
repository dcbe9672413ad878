"""A comparison as a text table."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.comparison.figures import Figures, figures, ratio
from benchmarks.comparison.results import SPANLOOM, Results

_HEAD = ("worker", "database", "looking", "broker", "sum", "worker, ×", "sum, ×", "spread", "MB", "exact")
_NAME, _WIDTH = 18, 11  # characters of the columns


def table(results: Results) -> str:
    """Return all cases, one below the other."""
    return "\n".join(_lines(results))


def _lines(results: Results) -> Iterator[str]:
    machine = results.machine
    yield f"{machine.date}, commit {machine.commit}; {machine.cpu}, {machine.cores} cores,"
    yield f"{machine.memory / 1e9:.0f} GB; {machine.busy:.1f} processes busy before; Python {machine.python}"
    yield ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    yield ""
    yield "CPU in µs a span, medians of the rounds. ×: times what spanloom takes, the median of each round's ratio;"
    yield "above 1 it costs more than spanloom. looking: of the database, what the benchmark's own queries took."
    yield "spread: from the least to the most of the sum. MB: the worker's peak."
    for case in results.cases:
        yield ""
        yield case.words
        yield " " * _NAME + "".join(f"{word:>{_WIDTH}}" for word in _HEAD)
        for contestant in results.contestants(case.name):
            yield _line(results, case.name, contestant)
            for failure in results.failures:
                if (failure.case, failure.contestant) == (case.name, contestant):
                    yield f"  failed in round {failure.round}: {failure.sentence}"
        for limit in results.parse_limits:
            if limit.case == case.name:
                yield f"parsing alone: {limit.ptars:.1f} with ptars, {limit.official:.1f} with opentelemetry-proto"


def _line(results: Results, case: str, contestant: str) -> str:
    found = figures(results, case, contestant)
    cells = (
        ["–"] * (len(_HEAD) - 1) + ["failed"] if found is None else _cells(results, case, contestant, found)
    )
    return f"{contestant:<{_NAME}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def _cells(results: Results, case: str, contestant: str, found: Figures) -> list[str]:
    cost = found.cost
    times = (ratio(results, case, part, contestant, SPANLOOM) for part in ("worker", "sum"))
    return [
        *(f"{number:.1f}" for number in (cost.worker, cost.database, cost.looking, cost.broker, cost.sum)),
        *("–" if number is None else f"{number:.2f}" for number in times),
        f"{100 * found.spread:.0f} %",
        f"{found.peak_rss / 1e6:,.0f}",
        f"{found.wrong} wrong" if found.wrong else "yes",
    ]
