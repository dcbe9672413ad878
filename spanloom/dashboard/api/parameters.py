"""The parameters of each query: typed, bounded, with a sentence for each mistake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.keyset import Order
from spanloom.warehouse.queries.overview.histogram import Kind
from spanloom.warehouse.queries.sessions.list import SessionSort
from spanloom.warehouse.queries.sessions.search import SearchFilter
from spanloom.warehouse.queries.traces.list import TraceSort

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2262, 1, 1, tzinfo=UTC)


def _in_utc(time: datetime) -> datetime:
    try:
        aware = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("must lie between 1970 and 2262") from None
    if not _FIRST <= aware < _LAST:
        raise ValueError("must lie between 1970 and 2262")
    return aware


def _pair(text: str) -> str:
    if not text.partition("=")[1] or not text.partition("=")[0]:
        raise ValueError("must look like key=value")
    return text


def _no_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold the character U+0000")
    return text


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Text = Annotated[str, Field(max_length=1000), AfterValidator(_no_null)]
Id = Annotated[str, Field(max_length=10_000), AfterValidator(_no_null)]
"""An ID as an application names it: it may be longer than what is stored of it."""
Pair = Annotated[str, Field(max_length=2000), AfterValidator(_no_null), AfterValidator(_pair)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Status = Literal["ok", "error", "unset"]

_LISTS = Annotated[list[Text], Field(max_length=20)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scope(_Query):
    """A stretch of time, and a project."""

    project: Text | None = Field(None, description="Only this project; all that you may see without it.")
    since: Moment | None = Field(
        None, alias="from", description="The range's beginning: ISO 8601, UTC where it names no zone."
    )
    until: Moment | None = Field(None, alias="to", description="The range's end.")


class Narrowed(Scope):
    """Everything given must hold. Bounds are inclusive."""

    q: Text = Field(
        "",
        description="What was said in an input or output: part of it, in any case, any language. "
        "For sessions: in one of their traces that overlaps the range.",
    )
    session_id: Id = Field("", description="Part of the session ID, in any case.")
    user: Id = Field("", description="A user ID.")
    tag: _LISTS = Field([], description="A tag; repeat it for several, all of which must be there.")
    model: _LISTS = Field([], description="A model; repeatable.")
    service: _LISTS = Field([], description="A service; repeatable.")
    status: Status | None = Field(
        None, description="Of a session: error where a span failed, else ok. Of a trace: its root's status."
    )
    metadata: Annotated[list[Pair], Field(max_length=20)] = Field(
        [], description="key=value; repeatable. For sessions: in one of their traces that overlaps the range."
    )
    min_traces: Count | None = Field(None, description="Traces of a session.")
    max_traces: Count | None = None
    min_duration: Amount | None = Field(None, description="Seconds, wall time.")
    max_duration: Amount | None = None
    min_tokens: Count | None = Field(None, description="Input and output tokens.")
    max_tokens: Count | None = None
    min_cost: Amount | None = Field(None, description="USD.")
    max_cost: Amount | None = None

    def filter(self, visible: frozenset[str] | None) -> Filter:
        """For the warehouse."""
        given: dict[str, Any] = self.model_dump(
            include={"project", "since", "until", "session_id", "user", "status"}
        )
        bounds = {
            name: getattr(self, name) for name in type(self).model_fields if name[:4] in ("min_", "max_")
        }
        pairs = (pair.partition("=") for pair in self.metadata)
        return Filter(
            visible=visible,
            text=self.q,
            tags=tuple(self.tag),
            models=tuple(self.model),
            services=tuple(self.service),
            metadata=tuple((key, value) for key, _, value in pairs),
            **given,
            **bounds,
        )


class Paged(Narrowed):
    """Some rows at a time."""

    order: Order = Field("desc", description="Descending by default; equal rows come in an order that stays.")
    limit: int = Field(50, ge=1, le=500, description="Rows.")
    cursor: str | None = Field(
        None, max_length=10_000, description="`next` of the answer before; with the same sort and order."
    )


_BY_TIME = "By a time: by when the row was stored where that is earlier, as of a sender whose clock is ahead."


class SessionsQuery(Paged):
    """Which sessions: all that overlap the range."""

    sort: SessionSort = Field("end_time", description=_BY_TIME)


class TracesQuery(Paged):
    """Which traces: all that overlap the range, with and without a session."""

    sort: TraceSort = Field("start_time", description=_BY_TIME)


class HistogramQuery(Narrowed):
    """What to count."""

    kind: Kind = "sessions"


class FacetsQuery(Scope):
    """Where to look for values: in the sessions or in the traces of the range."""

    kind: Kind = "sessions"


class FindQuery(_Query):
    """An ID, or how it begins."""

    q: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_null)] = Field(
        description="An ID, or its beginning, of a session, a trace (from 4 hexadecimal digits on), a span (from 8 on) "
        "or a user. Case counts, but for hexadecimal digits."
    )
    project: Text | None = Field(None, description="Only this project; all that you may see without it.")


class SessionQuery(_Query):
    """Which session."""

    id: str = Field(min_length=1, max_length=10_000, description="The session ID, whole.")
    project: Text | None = Field(None, description="Needed only where several projects have such a session.")


class CardsQuery(SessionQuery):
    """Which of its traces."""

    limit: int = Field(50, ge=1, le=1000, description="Traces.")
    cursor: str | None = Field(None, max_length=10_000, description="`next` of the answer before.")


class TimelineQuery(SessionQuery):
    """Which of its traces: 1,000 at a time."""

    cursor: str | None = Field(None, max_length=10_000, description="`next` of the answer before.")


class SearchQuery(SessionQuery):
    """What to look for: a text, or one of the filters, or both."""

    q: Text = Field(
        "",
        description="Part of an input, output, name, ID, tag or error message; any case, any language.",
    )
    type: Text | None = Field(None, description="The kind of span: LLM, TOOL, AGENT, …")
    status: Status | None = None
    model: Text | None = None
    min_duration: Amount | None = Field(None, description="Seconds.")
    max_duration: Amount | None = Field(None, description="Seconds.")
    min_tokens: Count | None = Field(None, description="Input and output tokens.")
    min_cost: Amount | None = Field(None, description="USD.")
    cursor: str | None = Field(None, max_length=10_000, description="`next` of the answer before.")

    def filter(self) -> SearchFilter:
        """For the warehouse."""
        return SearchFilter(
            text=self.q,
            span_type=self.type,
            status=self.status,
            model=self.model,
            min_duration=self.min_duration,
            max_duration=self.max_duration,
            min_tokens=self.min_tokens,
            min_cost=self.min_cost,
        )


class TraceQuery(_Query):
    """Where the trace is."""

    project: Text | None = Field(None, description="Needed only where several projects have such a trace.")
