"""A page of the list of sessions: which ones first, from narrow columns; then their rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from warehouse.answers import SessionListRow, SessionPage, SessionTotals
from warehouse.ask import ask
from warehouse.client import Warehouse
from warehouse.filters import Filter
from warehouse.keyset import Order, after, decode, encode
from warehouse.session_keys import NUMBERS, TEXTS, session_keys

SessionSort = Literal[
    "start_time",
    "end_time",
    "duration",
    "active_duration",
    "total_cost",
    "input_cost",
    "output_cost",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "trace_count",
    "span_count",
    "llm_call_count",
    "tool_call_count",
    "error_count",
    "session_id",
    "project_id",
    "user_id",
    "tags",
    "models",
    "services",
]

assert set(get_args(SessionSort)) == NUMBERS.keys() | TEXTS.keys()

_WHAT = "list sessions"

_ROWS = f"""
SELECT
    {", ".join(SessionTotals.model_fields)}
FROM sessions
WHERE (project_id IN {{projects:Array(String)}}) AND (session_id IN {{sessions:Array(String)}})
"""

# The first traces of a session are in its first window, and nearly always one of them has an input.
_FIRST_INPUTS = """
SELECT
    project_id,
    session_id,
    window_start,
    argMinIf(input_start, (start_time, trace_id), input_start != '') AS input
FROM traces_by_time_versions FINAL
WHERE (project_id IN {projects:Array(String)})
    AND (window_start IN {windows:Array(DateTime('UTC'))})
    AND (session_id IN {sessions:Array(String)})
GROUP BY
    project_id,
    session_id,
    window_start
"""

_LATER_INPUTS = """
SELECT
    project_id,
    session_id,
    argMinIf(substringUTF8(t.input, 1, 200), (start_time, trace_id), t.input != '') AS input
FROM traces_versions AS t FINAL
WHERE (project_id IN {projects:Array(String)}) AND (session_id IN {sessions:Array(String)})
GROUP BY
    project_id,
    session_id
"""

_Key = tuple[str, str]


async def list_sessions(
    warehouse: Warehouse,
    wanted: Filter,
    sort: SessionSort = "end_time",
    order: Order = "desc",
    limit: int = 50,
    cursor: str | None = None,
) -> SessionPage:
    """Return the sessions that a filter means, each with its whole totals.

    Equal ones come in the order of project and session ID. Raises `BadCursor`, and what `ask` raises.
    """
    keys = session_keys(wanted)
    list_name = f"sessions {sort} {order}"
    expression = NUMBERS.get(sort) or TEXTS[sort]
    if cursor is not None:
        last = decode(list_name, cursor, (int if sort in NUMBERS else str, str, str))
        after(keys.having, ("sort_key", "project_id", "session_id"), last, order)
    found = await ask(
        warehouse,
        _WHAT,
        keys.sql(f"project_id, session_id, {expression} AS sort_key, min(w.window_start) AS first_window")
        + f"ORDER BY sort_key {order}, project_id {order}, session_id {order} LIMIT {{limit:UInt64}}",
        keys.having.parameters | {"limit": limit + 1},
    )
    page = found[:limit]
    rows = await _rows(
        warehouse, {(row["project_id"], row["session_id"]): row["first_window"] for row in page}
    )
    following = None
    if len(found) > limit:
        end = page[-1]
        following = encode(list_name, (end["sort_key"], end["project_id"], end["session_id"]))
    return SessionPage(rows=rows, next=following)


async def _rows(warehouse: Warehouse, windows: dict[_Key, datetime]) -> list[SessionListRow]:
    """The rows of some sessions, in their order; each comes with its first window."""
    if not windows:
        return []
    totals = {_key(row): row for row in await _of(warehouse, _ROWS, windows)}
    # The windows of all go into one query, so what another one's window holds of a session comes as well.
    inputs = {
        _key(row): row["input"]
        for row in await _of(warehouse, _FIRST_INPUTS, windows)
        if row["window_start"] == windows.get(_key(row))
    }
    silent = {key: window for key, window in windows.items() if not inputs.get(key)}
    if silent:
        inputs |= {_key(row): row["input"] for row in await _of(warehouse, _LATER_INPUTS, silent)}
    return [
        SessionListRow(**totals[key], input=inputs.get(key, ""), has_errors=totals[key]["error_count"] > 0)
        for key in windows
        if key in totals
    ]


def _key(row: dict[str, Any]) -> _Key:
    return row["project_id"], row["session_id"]


async def _of(warehouse: Warehouse, sql: str, windows: dict[_Key, datetime]) -> list[dict[str, Any]]:
    parameters = {
        "projects": sorted({project for project, _ in windows}),
        "sessions": sorted({session for _, session in windows}),
        "windows": sorted(set(windows.values())),
    }
    return await ask(warehouse, _WHAT, sql, parameters)
