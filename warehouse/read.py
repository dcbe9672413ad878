"""Questions that people ask: which sessions, what happened in one, what happened in a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Literal

from warehouse.client import Warehouse, WarehouseError
from warehouse.lookup import placed_traces, span_facts, window_contributions, window_versions
from warehouse.rows import SessionDetail, SessionRow, SpanRow, TraceDetail, TraceRow

__all__ = [
    "SORT_KEYS",
    "SortKey",
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


def _check_one_project(rows: Iterable[dict[str, Any]], what: str) -> None:
    projects = sorted({row["project_id"] for row in rows})
    if len(projects) > 1:
        raise WarehouseError(
            f"There is a {what} in the projects {', '.join(projects)}: name one of them with --project"
        )


def _nanoseconds(time: datetime) -> int:
    since = time - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
