"""A span's facts: the few numbers and short texts that aggregates need.

`Fact` is where they are declared. The columns of the span table that they are made of follow from it, and so does how
they travel (`facts`) and how they are looked up; a test compares the message `SpanFacts` with it.
"""

from __future__ import annotations

from typing import NamedTuple


class TraceKey(NamedTuple):
    """What names a trace everywhere: the project and the 16 bytes of the trace ID."""

    project_id: str
    trace_id: bytes


class SpanLabels(NamedTuple):
    """The labels of one span: its tags, and its metadata as sorted pairs."""

    tags: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]


class SpanTexts(NamedTuple):
    """Texts inside the input and output of one span, besides its previews."""

    input_texts: tuple[str, ...]
    output_texts: tuple[str, ...]


class Fact(NamedTuple):
    """What the trace fold knows of one span.

    The fields are columns of the span table (MADE_OF has the exceptions). Times are nanoseconds, costs picodollars, IDs
    the big-endian value of their 8 bytes; `span_type` and `status` are positions in `spanloom.spans.table.SPAN_TYPES`
    and `STATUSES`, `session_key` and `user_key` numbers of `spanloom.spans.conventions.precedence`.
    """

    span_id: int
    parent_span_id: int = 0
    name: str = ""
    service_name: str = ""
    span_type: int = 0
    status: int = 0
    start_time: int = 0
    duration: int = 0
    session_id: str = ""
    session_key: int = 0
    user_id: str = ""
    user_key: int = 0
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    unsplit_tokens: int = 0
    input_cost: int = 0
    output_cost: int = 0
    total_cost: int = 0
    priced: bool = False
    input_preview: str = ""
    output_preview: str = ""
    marks: int = 0
    scope: str = ""
    response_id: str = ""
    trace_name: str = ""
    environment: str = ""
    release: str = ""
    version: int = 0
    labels: SpanLabels | None = None
    inside: SpanTexts | None = None


MADE_OF = {
    "duration": ("start_time", "end_time"),
    "labels": SpanLabels._fields,
    "inside": SpanTexts._fields,
}
"""The columns of the span table that a field is made of where they have other names."""

FACT_COLUMNS = tuple(
    dict.fromkeys(
        (
            "project_id",
            "trace_id",
            *(column for name in Fact._fields for column in MADE_OF.get(name, (name,))),
        )
    )
)
"""What facts are made of: columns of the span table, and `version`, which ingest appends to it."""
