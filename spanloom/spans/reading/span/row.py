"""One span as a row, before the columns of the span table are made of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class EventRow(NamedTuple):
    """An event of a span."""

    name: str
    time: int
    """Nanoseconds since the epoch, as sent."""
    attributes: Mapping[str, str]


class Preview(NamedTuple):
    """What of an input or output travels with the facts of a span."""

    text: str = ""
    others: tuple[str, ...] = ()
    """Further texts in it."""
    marks: int = 0
    rest: str = ""
    """What stands behind the text where it was cut, and a little before: for searching."""

    def of_trace(self, mark: int) -> Preview:
        """The same, as what is said of the whole trace."""
        return self._replace(marks=self.marks | mark)


NO_PREVIEW = Preview()


class SpanRow(NamedTuple):
    """The row of a span, apart from its IDs, times and previews. The names are those of the span table's columns."""

    name: str
    span_type: str
    status: str
    status_message: str
    session_id: str
    session_key: int
    """The number of the key that named it (`conventions.precedence`)."""
    user_id: str
    user_key: int
    tags: Sequence[str]
    metadata: Mapping[str, str]
    model: str
    provider: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    unsplit_tokens: int
    input_cost: int
    """Costs are whole picodollars here."""
    output_cost: int
    total_cost: int
    priced: int
    time_to_first_token: float
    environment: str
    release: str
    scope: str
    response_id: str
    input: str
    output: str
    trace_name: str
    marks: int
    """Those of its previews come to them."""
    attribute_keys: Sequence[str]
    attribute_texts: Sequence[str]
    events: Sequence[EventRow]
