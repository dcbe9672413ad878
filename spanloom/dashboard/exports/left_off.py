"""What of a session did not fit into a file."""

from __future__ import annotations

from spanloom.warehouse.queries.answers import SessionDetail
from spanloom.warehouse.queries.traces.whole import TracePart


class LeftOff:
    """Counts what a file holds of a session.

    Attributes:
        any: whether anything of it is missing.
    """

    def __init__(self, session: SessionDetail) -> None:
        self._session = session
        self._traces = 0
        self._spans = 0
        self.any = session.trace_count > 0

    def count(self, part: TracePart) -> None:
        """A part is in the file."""
        self._traces += part.begins
        self._spans += len(part.spans)
        self.any = not part.complete or self._traces < self._session.trace_count

    @property
    def traces(self) -> int:
        """Traces of which nothing is in it."""
        return max(0, self._session.trace_count - self._traces)

    @property
    def spans(self) -> int:
        """Spans that are not in it."""
        return max(0, self._session.span_count - self._spans) if self.any else 0
