"""The columns of the two lists: what they are called, what they sort by, and what they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        sort: the API's name of it.
        first: the order that the first click on its head gives.
        kind: `text`, or `number`, which stands right.
        beneath: what its cells say in a second line, which has a head of its own there.
    """

    sort: str
    label: str
    first: str = "desc"
    kind: str = "number"
    meaning: str = ""
    beneath: Column | None = None


_USER = Column("user_id", "User", "asc", "text")
_TAGS = Column("tags", "Tags", "asc", "text")
_INPUT = Column("input", "Input", "asc", "text", "How it begins")
_FIRST_INPUT = Column("input", "First input", "asc", "text", "How it begins")
_PROJECT = Column("project_id", "Project", "asc", "text")
_COST = Column("total_cost", "Cost", meaning="USD; input and output on hover")
_TOKENS = Column("total_tokens", "Tokens", meaning="in → out (total)")
_DURATION = Column("duration", "Duration", meaning="Wall time")
_CALLS = Column("llm_call_count", "LLM calls")
_ERRORS = Column("failure_count", "Errors", meaning="Spans where an error began")

SESSION_COLUMNS = (
    Column("session_id", "Session", "asc", "text", "Its ID", _FIRST_INPUT),
    Column("start_time", "Started"),
    Column("end_time", "Last activity"),
    Column("duration", "Duration", meaning="Wall time; active time on hover"),
    _COST,
    _TOKENS,
    Column("trace_count", "Traces"),
    _CALLS,
    _ERRORS,
    _USER,
    _TAGS,
    _PROJECT,
)

TRACE_COLUMNS = (
    Column("name", "Trace", "asc", "text", "Its name", _INPUT),
    Column("trace_id", "Trace ID", "asc", "text"),
    Column("start_time", "Started"),
    _DURATION,
    _COST,
    _TOKENS,
    Column("span_count", "Spans"),
    _CALLS,
    _ERRORS,
    Column("status", "Status", "asc", "text"),
    Column("session_id", "Session", "asc", "text"),
    _USER,
    _TAGS,
    _PROJECT,
)
