"""What queries return: frozen values with a meaning and a unit for each field.

The fields are the columns of the views where a view has them. pydantic models, because the JSON API returns them
as they are and documents them by the same descriptions. Times are UTC, cut to microseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from spanloom.spans.folding.contribution import INPUT_START

PREVIEW = INPUT_START
"""Characters of an input or output that a row of a list shows."""


def _iso(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


Time = Annotated[
    datetime,
    PlainSerializer(_iso, return_type=str, when_used="json"),
    Field(json_schema_extra={"format": "date-time"}),
]
"""An aware time in UTC; in JSON ISO 8601 with microseconds: `2026-01-31T12:00:00.000000Z`."""


class Answer(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True)


class Usage(Answer):
    """Tokens and what they cost."""

    input_tokens: int = Field(description="Tokens in, those read from and written to a cache included.")
    output_tokens: int = Field(description="Tokens out, those of reasoning included.")
    cache_read_tokens: int = Field(description="Part of the input tokens.")
    cache_write_tokens: int = Field(description="Part of the input tokens.")
    reasoning_tokens: int = Field(description="Part of the output tokens.")
    unsplit_tokens: int = Field(description="Tokens of which only the number is known; in no other count.")
    input_cost: float = Field(description="USD.")
    output_cost: float = Field(description="USD.")
    total_cost: float = Field(description="USD.")


class Totals(Usage):
    """What traces and sessions both add up. Always of the whole, whatever the range."""

    project_id: str = Field(description="The tenant.")
    session_id: str = Field(description="The session; empty for a trace without one.")
    user_id: str = Field(description="Of a session the earliest user; empty if unknown.")
    start_time: Time = Field(description="Start of the first span.")
    end_time: Time = Field(description="End of the last span: the last activity.")
    duration: float = Field(description="Seconds from start to end (wall time).")
    span_count: int = Field(description="Spans.")
    llm_call_count: int = Field(description="LLM spans that count; wrappers do not.")
    tool_call_count: int = Field(description="TOOL spans.")
    failure_count: int = Field(description="Spans where an error began: none below them failed.")
    error_count: int = Field(description="All spans with status `error`.")
    total_tokens: int = Field(description="Input, output and unsplit tokens.")
    unpriced_call_count: int = Field(description="LLM calls whose cost is unknown and so not in the sums.")
    models: list[str] = Field(description="Models that answered, sorted.")
    tags: list[str] = Field(description="Sorted.")
    services: list[str] = Field(description="Services that took part, sorted.")


class SessionTotals(Totals):
    """A session as the view `sessions` has it."""

    user_ids: list[str] = Field(description="All users, sorted.")
    active_duration: float = Field(description="Seconds: the sum of the durations of its traces.")
    trace_count: int = Field(description="Traces.")


class SessionListRow(SessionTotals):
    """A row of the list of sessions."""

    input: str = Field(description=f"The first input that is not empty, its first {PREVIEW} characters.")
    has_errors: bool = Field(description="Whether a span of it failed.")


class TraceTotals(Totals):
    """A trace without texts."""

    trace_id: str = Field(description="32 hexadecimal digits.")
    name: str = Field(description="The root span's name.")
    status: str = Field(description="The root span's: `ok`, `error` or `unset`.")
    metadata: dict[str, str] = Field(description="Of all its spans.")
    root_span_id: str = Field(description="16 hexadecimal digits.")


class TraceListRow(TraceTotals):
    """A row of the list of traces."""

    input: str = Field(description=f"The first {PREVIEW} characters of what was asked.")
    output: str = Field(description=f"The first {PREVIEW} characters of what was answered.")
    has_errors: bool = Field(description="Whether a span of it failed.")


class SessionPage(Answer):
    """Some rows of the list of sessions."""

    rows: list[SessionListRow]
    next: str | None = Field(description="The `cursor` of the next rows; null at the end.")


class TracePage(Answer):
    """Some rows of the list of traces."""

    rows: list[TraceListRow]
    next: str | None = Field(description="The `cursor` of the next rows; null at the end.")


class Bucket(Answer):
    """What started in one stretch of time; the first bucket also has what started before the range."""

    start: Time = Field(description="The bucket's beginning.")
    count: int = Field(description="Sessions or traces.")
    cost: float = Field(description="USD: their whole costs.")
    errors: int = Field(description="Their failures: spans where an error began.")


class Histogram(Answer):
    """Sessions or traces over the range, without gaps: the counts add up to the rows of the list."""

    bucket_seconds: int = Field(description="The length of a bucket.")
    buckets: list[Bucket] = Field(description="At most 61, in order; empty where nothing matches.")


class Facet(Answer):
    """A value to filter by."""

    value: str
    count: int = Field(description="In how many traces, or hours of sessions, of the range it occurs.")


class Facets(Answer):
    """The values that occur in the range: at most 100 of each, the most frequent first."""

    models: list[Facet]
    services: list[Facet]
    tags: list[Facet]
    users: list[Facet]
    projects: list[Facet]


class ModelUsage(Usage):
    """What the calls of one model used; the cost of unpriced ones is not known and so not in the sums."""

    provider: str
    model: str = Field(description="Empty for all calls that name none.")
    call_count: int = Field(description="Calls that count; wrappers do not.")
    unpriced_call_count: int = Field(description="Calls whose cost is not known.")
    only_total_call_count: int = Field(description="Of these, calls that tell a total of tokens only.")
    untold_call_count: int = Field(description="Of these, calls that tell neither tokens nor a cost.")
    total_tokens: int = Field(description="Input and output tokens, and those that are told as a total only.")


class SessionDetail(SessionTotals):
    """A whole session without its traces."""

    metadata: dict[str, list[str]] = Field(
        description="Each key's values over all traces (at most 20, the earliest first); at most 200 keys."
    )
    has_errors: bool = Field(description="Whether a span of it failed.")


class TraceCard(TraceTotals):
    """One trace of a session, as a turn of the conversation."""

    number: int = Field(description="Its place in the session, from 1, by start and trace ID.")
    input: str = Field(description="What was asked: a preview of at most 4,096 characters.")
    output: str = Field(description="What was answered: a preview of at most 4,096 characters.")
    has_errors: bool = Field(description="Whether a span of it failed.")


class TraceCards(Answer):
    """Some traces of a session, in order."""

    rows: list[TraceCard]
    next: str | None = Field(description="The `cursor` of the next rows; null at the end.")


class TimelineStretch(Answer):
    """Some time in which spans of one kind ran, one after another or together."""

    kind: str = Field(
        description="`llm`, `tool` or `error`. A failed call or tool is in two stretches, its own and the `error`; an "
        "error stands where it began."
    )
    start_time: Time
    end_time: Time
    span_count: int = Field(
        description="How many spans: those between which nothing could be seen are one stretch."
    )
    name: str = Field(description="Of the first of them.")


class TimelineTrace(Answer):
    """When a trace ran, and what in it."""

    number: int = Field(description="Its place in the session, from 1.")
    trace_id: str = Field(description="32 hexadecimal digits.")
    name: str
    start_time: Time
    end_time: Time
    status: str
    failure_count: int
    llm_call_count: int
    tool_call_count: int
    stretches: list[TimelineStretch] = Field(description="Of all its spans, by start.")


class Timeline(Answer):
    """When each trace of a session ran."""

    traces: list[TimelineTrace] = Field(description="In order.")
    next: str | None = Field(description="The `cursor` of the next traces; null at the end.")


class Snippet(Answer):
    """The text around some hits, cut from a longer one. Plain text, never HTML."""

    field: str = Field(description="`input`, `output`, `name`, `id`, `tags` or `error`.")
    text: str = Field(description="The hits with what stands around them.")
    ranges: list[tuple[int, int]] = Field(
        description="Start and end of each hit in `text`, in Unicode code points, as `Array.from(text)` counts."
    )
    cut_before: bool = Field(description="Whether text before it was left out.")
    cut_after: bool = Field(description="Whether text after it was left out.")


class SpanMatch(Answer):
    """A span that matches."""

    span_id: str = Field(description="16 hexadecimal digits.")
    name: str
    span_type: str = Field(description="`LLM`, `TOOL`, …")
    status: str
    model: str
    start_time: Time
    duration: float = Field(description="Seconds.")
    total_tokens: int
    total_cost: float = Field(description="USD.")
    snippets: list[Snippet]


class TraceMatch(Answer):
    """A trace that matches itself, or by its spans, or both."""

    number: int = Field(description="Its place in the session, from 1.")
    trace_id: str = Field(description="32 hexadecimal digits.")
    name: str
    status: str
    start_time: Time
    duration: float = Field(description="Seconds.")
    total_tokens: int
    total_cost: float = Field(description="USD.")
    snippets: list[Snippet] = Field(description="Hits in the trace itself; empty where only spans match.")
    spans: list[SpanMatch] = Field(description="By start; at most 50.")
    more_spans: int = Field(description="Matching spans that are not shown.")


class SearchAnswer(Answer):
    """What matches in some traces of a session, in their order."""

    traces: list[TraceMatch]
    searched: int = Field(description="Traces that were looked through for this answer.")
    next: str | None = Field(description="The `cursor` to look through the next traces; null at the end.")


class TreeSpan(Usage):
    """A span without its heavy texts."""

    span_id: str = Field(description="16 hexadecimal digits.")
    parent_span_id: str = Field(description="16 hexadecimal digits; empty for a root. It may not be there.")
    name: str
    span_type: str = Field(description="`LLM`, `TOOL`, `AGENT`, …")
    service_name: str
    start_time: Time
    end_time: Time
    duration: float = Field(description="Seconds.")
    status: str = Field(description="`ok`, `error` or `unset`.")
    status_message: str = Field(description="At most 200 characters.")
    model: str
    provider: str
    unsplit_tokens: int = Field(description="Tokens that are told as a total only.")
    priced: bool = Field(description="Whether its costs are known.")
    event_count: int


class TraceTree(Answer):
    """A trace and its spans."""

    trace: TraceCard | None = Field(description="Null while the trace's row has not come; its `number` is 0.")
    spans: list[TreeSpan] = Field(description="By start, then the longest first; see `complete`.")
    complete: bool = Field(description="False: it has more spans than are shown (20,000).")


class Event(Answer):
    """What happened at a moment of a span: an exception, a message."""

    name: str
    time: Time
    attributes: dict[str, str]


class SpanDetail(TreeSpan):
    """A span with all that it carried."""

    project_id: str
    trace_id: str = Field(description="32 hexadecimal digits.")
    session_id: str = Field(description="As this span names it.")
    user_id: str = Field(description="As this span names it.")
    tags: list[str]
    input: str = Field(description="What went in, whole: text or JSON.")
    output: str = Field(description="What came out, whole: text or JSON.")
    attributes: dict[str, str] = Field(description="All attributes; values that are no text are JSON.")
    resource: dict[str, str] = Field(description="The attributes of the resource.")
    events: list[Event]


class WholeTrace(Answer):
    """A trace and its spans with all that they carried."""

    trace: TraceCard | None = Field(description="Null while the trace's row has not come; its `number` is 0.")
    spans: list[SpanDetail] = Field(description="By start, then the longest first; see `complete`.")
    complete: bool = Field(description="False: it has more spans than these.")
