"""How often the row of a large trace is written anew.

A trace's row follows from all of its facts, so one more span would cost as much as all before it together. While a
trace is small its row is written with every batch that changes it. That of a large one is put off until it has grown by
a share of itself, or until some time has passed that grows with it: so a span costs the same in a trace of any size,
and rows are seconds behind at most. Its facts are in the changelog meanwhile, and that its row is owed.
"""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """The rule."""

    few: int = 64
    """Spans up to which a row is always written."""
    growth: float = 0.5
    """Changes, as a share of the spans that the row tells of, with which it is written."""
    seconds_a_span: float = 1e-4
    """Seconds for each of its spans after which it is written: ten times what that costs."""

    def is_due(self, spans: int, changes: int, told: int, seconds: float) -> bool:
        """Whether a row must be written.

        Args:
            spans: how many there are.
            changes: how many of them came or changed since the row was written.
            told: how many there were then; 0 if it never was.
            seconds: time since then.
        """
        return (
            spans <= self.few
            or not told
            or changes >= self.growth * told
            or seconds >= self.seconds_a_span * spans
        )
