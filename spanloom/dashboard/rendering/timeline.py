"""Where the bars of a session's timeline stand. Places and widths are percent of the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spanloom.warehouse.queries.answers import TimelineSpan, TimelineTrace

LONG_GAP = timedelta(minutes=30)
"""A stretch in which nothing ran is collapsed where it is longer."""

_GAP_WIDTH, _ALL_GAPS = 3.0, 40.0
_PIXELS = 2000
"""What a drawing is resolved into: what falls into one of these is painted once."""

_LEAST_WIDTH = 0.5
_NUMBER_WIDTH = 1.6
_RANK = {"llm": 1, "tool": 2, "error": 3}
"""What is painted over what."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A coloured part of a bar; `left` and `width` are percent of the bar."""

    kind: str
    left: float
    width: float
    name: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One trace."""

    trace: TimelineTrace
    left: float
    width: float
    lane: int
    stretches: list[Stretch]
    numbered: bool
    """Whether there is room for its number before the next bar of its lane."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A collapsed stretch in which nothing ran."""

    left: float
    width: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis: where a busy stretch begins."""

    left: float
    time: datetime


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it."""

    bars: list[Bar]
    gaps: list[Gap]
    ticks: list[Tick]
    lanes: int


@dataclass(slots=True)
class _Busy:
    start: datetime
    end: datetime
    left: float = 0.0


def lay_out(traces: Sequence[TimelineTrace]) -> Drawing:
    """Return the drawing of traces in order of their start."""
    if not traces:
        return Drawing([], [], [], 0)
    busy = _busy(traces)
    gap_width = min(_GAP_WIDTH, _ALL_GAPS / len(busy))
    total = sum(((part.end - part.start).total_seconds() for part in busy), 0.0)
    room = 100.0 - gap_width * (len(busy) - 1)
    scale = room / total if total else 0.0
    gaps, at = [], 0.0
    for number, part in enumerate(busy):
        if number:
            gaps.append(Gap(at, gap_width, (part.start - busy[number - 1].end).total_seconds()))
            at += gap_width
        part.left = at
        at += (part.end - part.start).total_seconds() * scale if total else room / len(busy)
    bars, placed, ends, current = (
        list[Bar](),
        list[tuple[TimelineTrace, float, float, int]](),
        list[float](),
        0,
    )
    for trace in traces:
        while current + 1 < len(busy) and trace.start_time >= busy[current + 1].start:
            current += 1
        left = busy[current].left + (trace.start_time - busy[current].start).total_seconds() * scale
        width = (trace.end_time - trace.start_time).total_seconds() * scale
        lane = next((number for number, end in enumerate(ends) if end <= left + 1e-6), len(ends))
        ends[lane : lane + 1] = [left + max(width, _LEAST_WIDTH)]
        placed.append((trace, left, width, lane))
    following = [101.0] * len(ends)
    for trace, left, width, lane in reversed(placed):
        bars.append(
            Bar(trace, left, width, lane, _stretches(trace, width), following[lane] - left > _NUMBER_WIDTH)
        )
        following[lane] = left
    bars.reverse()
    return Drawing(bars, gaps, [Tick(part.left, part.start) for part in busy], len(ends))


def _busy(traces: Sequence[TimelineTrace]) -> list[_Busy]:
    busy = [_Busy(traces[0].start_time, traces[0].end_time)]
    for trace in traces[1:]:
        if trace.start_time - busy[-1].end > LONG_GAP:
            busy.append(_Busy(trace.start_time, trace.end_time))
        else:
            busy[-1].end = max(busy[-1].end, trace.end_time)
    return busy


def _stretches(trace: TimelineTrace, width: float) -> list[Stretch]:
    """The spans as runs of equal colour."""
    length = (trace.end_time - trace.start_time).total_seconds()
    pixels = max(1, min(_PIXELS, round(width / 100 * _PIXELS)))
    painted: list[TimelineSpan | None] = [None] * pixels
    for span in trace.spans:
        first = _pixel((span.start_time - trace.start_time).total_seconds(), length, pixels)
        last = _pixel((span.end_time - trace.start_time).total_seconds(), length, pixels)
        for pixel in range(first, last + 1):
            before = painted[pixel]
            if before is None or _RANK.get(span.kind, 0) > _RANK.get(before.kind, 0):
                painted[pixel] = span
    stretches = []
    start = 0
    for pixel in range(1, pixels + 1):
        if pixel == pixels or painted[pixel] is not painted[start]:
            span = painted[start]  # type: ignore[assignment]
            if span is not None:
                share = 100 / pixels
                stretches.append(Stretch(span.kind, start * share, (pixel - start) * share, span.name))
            start = pixel
    return stretches


def _pixel(seconds: float, length: float, pixels: int) -> int:
    if length <= 0:
        return 0
    return min(pixels - 1, max(0, int(seconds / length * pixels)))
