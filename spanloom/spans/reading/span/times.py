"""When a span took place, as far as its sender can be believed.

A start of 0, or before there was OpenTelemetry, is none: such a span starts where it ends, or else when its record was
written, and is marked. A time in the future is kept as it was sent; but what a call cost is asked as of a time that is
sane.
"""

from __future__ import annotations

from typing import NamedTuple

from spanloom.spans.table import MAX_TIME

_MILLISECOND = 1_000_000
_DAY = 86_400 * 1_000_000_000

EARLIEST = 946_684_800 * 1_000_000_000
"""The year 2000, in nanoseconds since the epoch: what is earlier is no time but a default."""


class SpanTimes(NamedTuple):
    """Nanoseconds since the epoch."""

    start: int
    end: int
    priced_at: int
    """As of when the span is priced."""
    assumed: bool
    """The start is not known."""


def span_times(start: int, end: int, written: int) -> SpanTimes:
    """Return the times of a span.

    Args:
        start: as sent, nanoseconds since the epoch.
        end: likewise.
        written: when the span's record was written, milliseconds since the epoch; 0 where nobody knows.
    """
    written *= _MILLISECOND
    assumed = start < EARLIEST
    if assumed:
        start = end if end >= EARLIEST else written or start
    priced_at = written if written and start > written + _DAY else start
    return SpanTimes(start, max(start, end), priced_at, assumed)


def first_token(after: float | None, at: int | None, times: SpanTimes) -> float:
    """Seconds to the first token of an answer, 0 where its span does not say.

    Args:
        after: seconds from the span's start, as sent.
        at: nanoseconds since the epoch, as sent; counts where there is no `after`.
        times: the span's.
    """
    if after is at is None:
        return 0.0
    # As rows can hold them: who reads a stored span again finds the same.
    start, end = min(times.start, MAX_TIME), min(times.end, MAX_TIME)
    if after is None and at is not None and not times.assumed:
        after = (at - start) / 1e9
    longest = (end - start) / 1e9
    if after is not None and after > longest:
        after /= 1000  # some write milliseconds under a name of seconds
    return after if after is not None and 0 < after <= longest else 0.0
