"""A comparison as an SVG: `python -m benchmarks.comparison.plot RESULTS.json PLOT.svg`, by `.venv-rivals/bin/python`.

Every contestant's CPU time in multiples of what spanloom takes in the same case: so cases whose spans cost very
differently share one scale.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from benchmarks.comparison.figures import PARTS, figures
from benchmarks.comparison.results import SPANLOOM, Results, from_json

_FAR = 3.0
"""Contestants that take more times spanloom's time than this are named in the title only: bars as long as theirs would
leave no room for the others."""
_ROW = 26  # pixels


def rows(results: Results) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the parts of each bar by its label, and sentences about those that are not drawn."""
    drawn: dict[str, dict[str, float]] = {}
    left_out = []
    for case in results.cases:
        own = figures(results, case.name, SPANLOOM)
        if own is None:
            continue
        for contestant in sorted(results.contestants(case.name), key=lambda one: one != SPANLOOM):
            found = figures(results, case.name, contestant)
            label = f"{case.name}: {contestant}"
            if found is None:
                left_out.append(f"{label} failed")
                continue
            times = found.cost.sum / own.cost.sum
            if times > _FAR:
                left_out.append(f"{label} takes {times:.1f} times as much")
                continue
            label += f" ({found.cost.sum:,.0f} µs{', WRONG' if found.wrong else ''})"
            drawn[label] = {
                part: PARTS[part](found.cost) / own.cost.sum for part in ("worker", "database", "broker")
            }
    return drawn, left_out


def draw(results: Results) -> bytes:
    """Return the SVG, which needs no script and nothing from elsewhere."""
    drawn, left_out = rows(results)
    machine = results.machine
    title = (
        f"CPU time a span, in multiples of spanloom's ({machine.date}, {machine.cpu}, {machine.cores} cores)"
    )
    chart = pygal.HorizontalStackedBar(
        style=CleanStyle,
        js=(),
        width=1000,
        height=150 + _ROW * len(drawn),
        legend_at_bottom=True,
        include_x_axis=True,
        title="\n".join([title, *(f"not drawn: {sentence}" for sentence in left_out)]),
    )
    # pygal draws the first one at the bottom.
    labels = list(reversed(drawn))
    chart.x_labels = labels
    for part in ("worker", "database", "broker"):
        chart.add(part, [round(drawn[label][part], 3) for label in labels])
    svg: bytes = chart.render()
    return svg


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(draw(from_json(source.read_text())))
