"""Traces and what the worker makes of them: rows of traces and of session windows that agree."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from spanloom.warehouse.client import Warehouse
from tests.warehouse.tables import HOUR, SECOND, START, STORED, partial, put

_SUMS = (
    "span_count",
    "llm_call_count",
    "tool_call_count",
    "failure_count",
    "error_count",
    "input_tokens",
    "output_tokens",
    "unsplit_tokens",
    "unpriced_call_count",
)
_COSTS = ("input_cost", "output_cost", "total_cost")


def trace(
    project: str, session: str, number: int, at: float = 0.0, seconds: float = 2.0, **values: Any
) -> dict[str, Any]:
    """A trace's row that starts `at` seconds after START."""
    start = START * SECOND + round(at * SECOND)
    return {
        "project_id": project,
        "session_id": session,
        "window_start": start // SECOND // HOUR * HOUR,
        "trace_id": f"{number:032x}",
        "name": "turn",
        "user_id": "",
        "tags": [],
        "metadata": [],
        "services": [],
        "start_time": start,
        "end_time": start + round(seconds * SECOND),
        "status": "ok",
        **dict.fromkeys(_SUMS, 0),
        **dict.fromkeys(_COSTS, 0.0),
        "failure_count": values.get("error_count", 0),
        "models": [],
        "input": "",
        "output": "",
        "root_span_id": "",
        "version": STORED,
        "is_deleted": 0,
    } | values


def put_traces(warehouse: Warehouse, *traces: dict[str, Any]) -> None:
    """Insert the rows as they are."""
    put(warehouse, "traces_versions", partial(*traces))


def put_world(warehouse: Warehouse, *traces: dict[str, Any]) -> None:
    """Insert traces, and the windows of their sessions."""
    put_traces(warehouse, *traces)
    windows: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in traces:
        if row["session_id"] and not row["is_deleted"]:
            windows[row["project_id"], row["session_id"], row["window_start"]].append(row)
    if windows:
        put(warehouse, "session_windows_versions", partial(*(_window(rows) for rows in windows.values())))


def _window(rows: list[dict[str, Any]]) -> dict[str, Any]:
    users = sorted((row["start_time"], row["user_id"]) for row in rows if row["user_id"])
    return {
        **{name: rows[0][name] for name in ("project_id", "session_id", "window_start")},
        "user_id": users[0][1] if users else "",
        "user_since": users[0][0] if users else 0,
        "user_ids": sorted({user for _, user in users}),
        "start_time": min(row["start_time"] for row in rows),
        "end_time": max(row["end_time"] for row in rows),
        "active_nanoseconds": sum(row["end_time"] - row["start_time"] for row in rows),
        "trace_count": len(rows),
        **{name: sum(row[name] for row in rows) for name in _SUMS},
        **{name: sum(row[name] for row in rows) for name in _COSTS},
        "first_input": min(
            ((row["start_time"], row["trace_id"], row["input"][:200]) for row in rows if row["input"]),
            default=("",),
        )[-1],
        **{
            name: sorted({value for row in rows for value in row[name]})
            for name in ("models", "tags", "services")
        },
        "version": max(row["version"] for row in rows),
        "is_deleted": 0,
    }
