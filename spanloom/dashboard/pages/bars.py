"""The histogram of a list as bars: where each stands and how high it is, for an SVG without a style."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from spanloom.warehouse.queries.answers import Histogram

HEIGHT = 40.0
"""Of the drawing, in its own units; a bucket is ten wide."""

_STEP, _GAP = 10, 2
_LEAST = 1.5  # a bar that is not nothing can be seen


@dataclass(frozen=True)
class Bar:
    """One bucket, where there is something in it."""

    x: int
    y: float
    width: int
    height: float


@dataclass(frozen=True)
class Chart:
    """One quantity over the range."""

    name: str
    label: str
    total: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Bars:
    """The charts of a histogram; `data` is its buckets as JSON, for the module that reads them out."""

    charts: tuple[Chart, ...]
    width: int
    data: str
    start: datetime
    end: datetime
    seconds: int


def bars(histogram: Histogram, label: str) -> Bars:
    """Return the charts of a histogram that is not empty: how many, their cost, their errors.

    Args:
        label: what is counted: `Sessions` or `Traces`.
    """
    buckets = histogram.buckets
    columns = {
        "count": (label, [float(bucket.count) for bucket in buckets]),
        "cost": ("Cost", [bucket.cost for bucket in buckets]),
        "errors": ("Errors", [float(bucket.errors) for bucket in buckets]),
    }
    data = json.dumps(
        {
            "seconds": histogram.bucket_seconds,
            "label": label.lower(),
            "buckets": [
                [bucket.start.timestamp() * 1000, bucket.count, bucket.cost, bucket.errors]
                for bucket in buckets
            ],
        },
        separators=(",", ":"),
    )
    charts = tuple(
        Chart(name, title, sum(values), _bars(values)) for name, (title, values) in columns.items()
    )
    start, length = buckets[0].start, timedelta(seconds=histogram.bucket_seconds)
    end = buckets[-1].start + length
    return Bars(charts, len(buckets) * _STEP, data, start, end, histogram.bucket_seconds)


def _bars(values: list[float]) -> tuple[Bar, ...]:
    most = max(values, default=0.0)
    found = []
    for number, value in enumerate(values):
        if value > 0:
            height = round(max(_LEAST, value / most * HEIGHT), 2)
            found.append(Bar(number * _STEP + _GAP // 2, round(HEIGHT - height, 2), _STEP - _GAP, height))
    return tuple(found)
