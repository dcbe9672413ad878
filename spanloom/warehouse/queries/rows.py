"""Rows of the views, for people: what the command line prints.

The fields are the columns of the views. Times are aware datetimes in UTC, cut to microseconds; durations are
seconds, costs USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class _Totals:
    """What traces and sessions both add up."""

    project_id: str
    session_id: str
    user_id: str
    start_time: datetime
    end_time: datetime
    duration: float
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    total_tokens: int
    input_cost: float
    output_cost: float
    total_cost: float
    unpriced_call_count: int
    models: list[str]
    tags: list[str]
    services: list[str]


@dataclass(frozen=True, kw_only=True)
class SessionRow(_Totals):
    """A row of the view `sessions`; `user_id` is the earliest user, `duration` wall time."""

    user_ids: list[str]
    active_duration: float
    trace_count: int


@dataclass(frozen=True, kw_only=True)
class TraceRow(_Totals):
    """A row of the view `traces`; `input` and `output` are previews."""

    trace_id: str
    name: str
    metadata: Mapping[str, str]
    status: str
    input: str
    output: str
    root_span_id: str


@dataclass(frozen=True, kw_only=True)
class SpanRow:
    """A row of the view `spans`; an event is a mapping with name, time and attributes."""

    project_id: str
    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    span_type: str
    service_name: str
    start_time: datetime
    end_time: datetime
    duration: float
    status: str
    status_message: str
    session_id: str
    user_id: str
    tags: list[str]
    model: str
    provider: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    input_cost: float
    output_cost: float
    total_cost: float
    priced: int
    input: str
    output: str
    attributes: Mapping[str, str]
    resource: Mapping[str, str]
    events: list[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """What the calls of one model used; of the unpriced ones the cost is not known, and so not in the sum."""

    provider: str
    model: str
    call_count: int
    unpriced_call_count: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    total_tokens: int
    total_cost: float


@dataclass(frozen=True)
class SessionDetail:
    """A session and its first traces, in the order in which they started."""

    session: SessionRow
    traces: list[TraceRow]


@dataclass(frozen=True)
class TraceDetail:
    """A trace and its first spans, in the order in which they started; the row comes a little later."""

    trace: TraceRow | None
    spans: list[SpanRow]
