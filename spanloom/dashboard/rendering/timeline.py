"""Where the bars of a session's timeline stand. Places and widths are percent of the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spanloom.warehouse.queries.answers import TimelineStretch, TimelineTrace

LONG_GAP = timedelta(minutes=30)
"""A stretch in which nothing ran is collapsed where it is longer."""

_GAP_WIDTH, _ALL_GAPS = 3.0, 40.0
_LEAST_WIDTH = 0.5
_NUMBER_WIDTH = 1.6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A coloured part of a bar; `left` and `width` are percent of the bar."""

    shown: TimelineStretch
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One trace."""

    trace: TimelineTrace
    left: float
    width: float
    lane: int
    stretches: list[Stretch]
    room: float
    """How far it is from its left edge to that of the next bar of its lane, or to the end of the drawing."""

    @property
    def numbered(self) -> bool:
        """Whether its number has room there, as long as nothing is zoomed."""
        return self.room > _NUMBER_WIDTH


@dataclass(frozen=True, slots=True)
class Gap:
    """A collapsed stretch in which nothing ran."""

    left: float
    width: float
    seconds: float


@dataclass(slots=True)
class Busy:
    """A stretch in which traces ran, with no long gap: the axis is to scale within it."""

    start: datetime
    end: datetime
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it."""

    bars: list[Bar]
    gaps: list[Gap]
    busy: list[Busy]
    lanes: int


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
        part.width = (part.end - part.start).total_seconds() * scale if total else room / len(busy)
        at += part.width
    placed, ends, current = list[tuple[TimelineTrace, float, float, int]](), list[float](), 0
    for trace in traces:
        while current + 1 < len(busy) and trace.start_time >= busy[current + 1].start:
            current += 1
        left = busy[current].left + (trace.start_time - busy[current].start).total_seconds() * scale
        width = (trace.end_time - trace.start_time).total_seconds() * scale
        lane = next((number for number, end in enumerate(ends) if end <= left + 1e-6), len(ends))
        ends[lane : lane + 1] = [left + max(width, _LEAST_WIDTH)]
        placed.append((trace, left, width, lane))
    bars, following = list[Bar](), [100.0 + _NUMBER_WIDTH] * len(ends)
    for trace, left, width, lane in reversed(placed):
        bars.append(Bar(trace, left, width, lane, _stretches(trace), following[lane] - left))
        following[lane] = left
    bars.reverse()
    return Drawing(bars, gaps, busy, len(ends))


def _busy(traces: Sequence[TimelineTrace]) -> list[Busy]:
    busy = [Busy(traces[0].start_time, traces[0].end_time)]
    for trace in traces[1:]:
        if trace.start_time - busy[-1].end > LONG_GAP:
            busy.append(Busy(trace.start_time, trace.end_time))
        else:
            busy[-1].end = max(busy[-1].end, trace.end_time)
    return busy


def _stretches(trace: TimelineTrace) -> list[Stretch]:
    length = (trace.end_time - trace.start_time).total_seconds()
    return [
        Stretch(shown, begins, _part(shown.end_time, trace, length) - begins)
        for shown in trace.stretches
        for begins in [_part(shown.start_time, trace, length)]
    ]


def _part(time: datetime, trace: TimelineTrace, length: float) -> float:
    """Where a time stands in its trace; one outside of it, as while its row is still on its way, at the edge."""
    if length <= 0:
        return 0.0
    return min(100.0, max(0.0, (time - trace.start_time).total_seconds() / length * 100))
