"""Questions that people ask: which sessions, what happened in one, what happened in a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Literal

from spanloom.warehouse.client import Warehouse, WarehouseError
from spanloom.warehouse.lookup import placed_traces, span_facts, window_contributions, window_versions
from spanloom.warehouse.queries.rows import (
    ModelRow,
    SessionDetail,
    SessionRow,
    SpanRow,
    TraceDetail,
    TraceRow,
)

__all__ = [
    "SORT_KEYS",
    "SortKey",
    "models",
    "placed_traces",
    "session",
    "sessions",
    "span_facts",
    "trace",
    "window_contributions",
    "window_versions",
]

SortKey = Literal["cost", "tokens", "duration", "traces", "start"]

SORT_KEYS: dict[SortKey, str] = {
    "cost": "total_cost",
    "tokens": "total_tokens",
    "duration": "duration",
    "traces": "trace_count",
    "start": "start_time",
}
"""What sessions can be sorted by, largest or newest first: the names and their columns."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _columns(row: type) -> str:
    return ",\n    ".join(field.name for field in fields(row))


def _in_project(project: str | None) -> str:
    return "AND project_id = {project:String}" if project is not None else ""


# The inner query reads windows without FINAL and may name too many sessions, never too few: whatever window
# ends in the range is a row, so the index on end_time may be used. The outer condition is exact.
_SESSIONS = """
SELECT
    {columns}
FROM sessions
WHERE (project_id, session_id) IN (
    SELECT
        project_id,
        session_id
    FROM session_windows_versions
    WHERE end_time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC') {in_project}
)
AND end_time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC')
ORDER BY
    {sort} DESC,
    project_id,
    session_id
LIMIT {{limit:UInt64}}
"""


async def sessions(
    warehouse: Warehouse,
    project: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
    sort: SortKey = "start",
) -> list[SessionRow]:
    """Return sessions that overlap the range from `since` to now, each with its whole totals.

    Args:
        project: only this project's sessions.
        since: an aware time; all sessions without it.
        limit: how many at most.
        sort: the largest, longest or newest come first.
    """
    rows = await warehouse.query_rows(
        "read sessions",
        _SESSIONS.format(columns=_columns(SessionRow), in_project=_in_project(project), sort=SORT_KEYS[sort]),
        {"project": project, "since": _nanoseconds(since or _EPOCH), "limit": limit},
    )
    return [SessionRow(**row) for row in rows]


_SESSION = """
SELECT
    {columns}
FROM sessions
WHERE session_id = {{session:String}} {in_project}
ORDER BY project_id
LIMIT 100
"""

_TRACES_OF_SESSION = """
SELECT
    {columns}
FROM traces
WHERE (project_id = {{project:String}}) AND (session_id = {{session:String}})
ORDER BY
    start_time,
    trace_id
LIMIT {{limit:UInt64}}
"""


async def session(
    warehouse: Warehouse, session_id: str, project: str | None = None, limit: int = 1000
) -> SessionDetail | None:
    """Return a session with its first `limit` traces; None if there is none.

    Raises:
        WarehouseError: several projects have such a session; the sentence names them.
    """
    rows = await warehouse.query_rows(
        "read a session",
        _SESSION.format(columns=_columns(SessionRow), in_project=_in_project(project)),
        {"project": project, "session": session_id},
    )
    if not rows:
        return None
    _check_one_project(rows, f"session {session_id}")
    row = SessionRow(**rows[0])
    traces = await warehouse.query_rows(
        "read a session's traces",
        _TRACES_OF_SESSION.format(columns=_columns(TraceRow)),
        {"project": row.project_id, "session": session_id, "limit": limit},
    )
    return SessionDetail(row, [TraceRow(**trace) for trace in traces])


_TRACE = """
SELECT
    {columns}
FROM traces
WHERE trace_id = {{trace:String}} {in_project}
ORDER BY project_id
LIMIT 100
"""

_SPANS_OF_TRACE = """
SELECT
    {columns}
FROM spans
WHERE trace_id = {{trace:String}} {in_project}
ORDER BY
    project_id,
    start_time,
    end_time DESC,
    span_id
LIMIT {{limit:UInt64}}
"""


async def trace(
    warehouse: Warehouse, trace_id: str, project: str | None = None, limit: int = 1000
) -> TraceDetail | None:
    """Return a trace with its first `limit` spans; None if there is none.

    Args:
        trace_id: 32 hexadecimal digits.

    Raises:
        WarehouseError: several projects have such a trace; the sentence names them.
    """
    parameters = {"project": project, "trace": trace_id.lower(), "limit": limit}
    rows = await warehouse.query_rows(
        "read a trace",
        _TRACE.format(columns=_columns(TraceRow), in_project=_in_project(project)),
        parameters,
    )
    spans = await warehouse.query_rows(
        "read a trace's spans",
        _SPANS_OF_TRACE.format(columns=_columns(SpanRow), in_project=_in_project(project)),
        parameters,
    )
    if not rows and not spans:
        return None
    _check_one_project((*rows, *spans), f"trace {trace_id}")
    return TraceDetail(TraceRow(**rows[0]) if rows else None, [SpanRow(**span) for span in spans])


# Usage counts once, as in the trace fold: a call that bears usage counts if nothing below it does, so all that stands
# above one is left out. A span never starts before its parent, and so nothing before `since` is needed. The bound of
# the depth ends a circle of parents.
_MODELS = """
WITH RECURSIVE
    some AS (
        SELECT
            project_id,
            trace_id,
            span_id,
            parent_span_id,
            provider,
            model,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            total_cost,
            priced,
            (span_type IN ('LLM', 'EMBEDDING'))
                OR (input_tokens > 0) OR (output_tokens > 0)
                OR (cache_read_tokens > 0) OR (cache_write_tokens > 0) OR (reasoning_tokens > 0)
                OR (input_cost > 0) OR (output_cost > 0) OR (total_cost > 0) AS bears_usage
        FROM spans
        WHERE start_time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC') {in_project}
    ),
    above AS (
        SELECT DISTINCT
            project_id,
            trace_id,
            parent_span_id AS wrapper_id,
            1 AS depth
        FROM some
        WHERE bears_usage AND (parent_span_id != '') AND (parent_span_id != span_id)
        UNION ALL
        SELECT DISTINCT
            some.project_id,
            some.trace_id,
            some.parent_span_id,
            above.depth + 1
        FROM some
        INNER JOIN above
            ON (some.project_id = above.project_id)
            AND (some.trace_id = above.trace_id)
            AND (some.span_id = above.wrapper_id)
        WHERE (some.parent_span_id != '') AND (some.parent_span_id != some.span_id) AND (above.depth < 32)
    )
SELECT
    provider,
    model,
    count() AS call_count,
    countIf((priced = 0) AND (some.input_tokens + some.output_tokens > 0)) AS unpriced_call_count,
    sum(some.input_tokens) AS input_tokens,
    sum(some.output_tokens) AS output_tokens,
    sum(some.cache_read_tokens) AS cache_read_tokens,
    sum(some.cache_write_tokens) AS cache_write_tokens,
    sum(some.reasoning_tokens) AS reasoning_tokens,
    input_tokens + output_tokens AS total_tokens,
    sum(some.total_cost) AS total_cost
FROM some
WHERE bears_usage AND (project_id, trace_id, span_id) NOT IN (
    SELECT
        project_id,
        trace_id,
        wrapper_id
    FROM above
)
GROUP BY
    provider,
    model
HAVING ((model != '') OR (total_tokens > 0)) AND ((unpriced_call_count > 0) OR NOT {{unpriced:Bool}})
ORDER BY
    unpriced_call_count > 0 DESC,
    total_tokens DESC,
    provider,
    model
LIMIT {{limit:UInt64}}
"""


async def models(
    warehouse: Warehouse,
    project: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
    *,
    unpriced: bool = False,
) -> list[ModelRow]:
    """Return what was used of each model by calls that started since `since`; the unpriced first, then by tokens.

    A call counts as in `traces`: not if something below it bears usage. Calls that name no model are one row.

    Args:
        project: only this project's calls.
        since: an aware time; all calls without it.
        limit: how many at most.
        unpriced: only models with calls whose price is not known.
    """
    rows = await warehouse.query_rows(
        "read models",
        _MODELS.format(in_project=_in_project(project)),
        {
            "project": project,
            "since": _nanoseconds(since or _EPOCH),
            "limit": limit,
            "unpriced": "true" if unpriced else "false",
        },
    )
    return [ModelRow(**row) for row in rows]


def _check_one_project(rows: Iterable[dict[str, Any]], what: str) -> None:
    projects = sorted({row["project_id"] for row in rows})
    if len(projects) > 1:
        raise WarehouseError(
            f"There is a {what} in the projects {', '.join(projects)}: name one of them with --project"
        )


def _nanoseconds(time: datetime) -> int:
    since = time - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
