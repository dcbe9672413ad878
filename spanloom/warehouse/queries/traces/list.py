"""A page of the list of traces, with and without a session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, get_args

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import TraceListRow, TracePage
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import (
    SESSION_PART,
    Conditions,
    Filter,
    in_range,
    in_scope,
    in_windows,
    no_later_than_stored,
    with_text_and_metadata,
    within_bounds,
)
from spanloom.warehouse.queries.keyset import KEYS_AT_ONCE, ROWS_AT_ONCE, Order, after, decode, encode

TraceSort = Literal[
    "start_time",
    "end_time",
    "duration",
    "total_cost",
    "input_cost",
    "output_cost",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "span_count",
    "llm_call_count",
    "tool_call_count",
    "failure_count",
    "error_count",
    "trace_id",
    "session_id",
    "project_id",
    "user_id",
    "name",
    "status",
    "tags",
    "models",
    "services",
    "input",
]

NUMBERS = {
    "start_time": no_later_than_stored("t.start_time", "t.version"),
    "end_time": no_later_than_stored("t.end_time", "t.version"),
    "duration": "toUnixTimestamp64Nano(t.end_time) - toUnixTimestamp64Nano(t.start_time)",
    "total_cost": "toInt128(round(t.total_cost * 1e12))",
    "input_cost": "toInt128(round(t.input_cost * 1e12))",
    "output_cost": "toInt128(round(t.output_cost * 1e12))",
    "total_tokens": "t.input_tokens + t.output_tokens + t.unsplit_tokens",
    "input_tokens": "t.input_tokens",
    "output_tokens": "t.output_tokens",
    "span_count": "t.span_count",
    "llm_call_count": "t.llm_call_count",
    "tool_call_count": "t.tool_call_count",
    "failure_count": "t.failure_count",
    "error_count": "t.error_count",
}
"""Whole numbers to sort by: nanoseconds, picodollars, counts. By time no row stands later than it was stored."""

TEXTS = {
    "trace_id": "t.trace_id",
    "session_id": "t.session_id",
    "project_id": "t.project_id",
    "user_id": "t.user_id",
    "name": "t.name",
    "status": "t.status",
    "tags": "arrayStringConcat(t.tags, ', ')",
    "models": "arrayStringConcat(t.models, ', ')",
    "services": "arrayStringConcat(t.services, ', ')",
    "input": "t.input_start",
}
"""Texts to sort by."""

assert set(get_args(TraceSort)) == NUMBERS.keys() | TEXTS.keys()

_WHAT = "list traces"

_COMPUTED = {
    "duration": "(toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time)) / 1e9 AS duration",
    "total_tokens": "input_tokens + output_tokens + unsplit_tokens AS total_tokens",
    "input": "input_start AS input",
    "output": "output_start AS output",
    "has_errors": "error_count > 0 AS has_errors",
}

_ROWS = f"""
SELECT
    {", ".join(_COMPUTED.get(name, name) for name in TraceListRow.model_fields)}
FROM traces_by_time_versions FINAL
PREWHERE (project_id, window_start, session_id, trace_id) IN
    {{keys:Array(Tuple(String, DateTime('UTC'), String, String))}}
"""


def traces_from(wanted: Filter) -> tuple[str, Conditions]:
    """What a filter matches: `FROM … PREWHERE …` for rows `t`, and the conditions that WHERE must hold."""
    windows = Conditions()
    in_scope(windows, wanted.project, wanted.visible)
    in_windows(windows, wanted)
    conditions = Conditions(windows.parameters)
    in_range(conditions, wanted)
    if wanted.session_id:
        conditions.add(SESSION_PART, part=bounded_id(wanted.session_id))
    if wanted.user:
        conditions.add("user_id = {user:String}", user=bounded_id(wanted.user))
    for column in ("tags", "models", "services"):
        for number, value in enumerate(getattr(wanted, column)):
            conditions.add(f"has({column}, {{{column}{number}:String}})", **{f"{column}{number}": value})
    if wanted.status is not None:
        conditions.add("status = {status:String}", status=wanted.status)
    within_bounds(
        conditions,
        wanted,
        {
            "traces": "1",
            "duration": NUMBERS["duration"],
            "tokens": NUMBERS["total_tokens"],
            "cost": NUMBERS["total_cost"],
        },
    )
    with_text_and_metadata(conditions, wanted)
    return f"FROM traces_by_time_versions AS t FINAL PREWHERE {windows.sql()}", conditions


async def list_traces(
    warehouse: Warehouse,
    wanted: Filter,
    sort: TraceSort = "start_time",
    order: Order = "desc",
    limit: int = 50,
    cursor: str | None = None,
) -> TracePage:
    """Return the traces that a filter matches.

    Equal ones come in the order of project and trace ID. Raises `BadCursor`, and what `ask` raises.
    """
    keys, following = await _keys(warehouse, wanted, sort, order, limit, cursor)
    return TracePage(rows=await _rows(warehouse, keys), next=following)


async def all_traces(
    warehouse: Warehouse, wanted: Filter, sort: TraceSort, order: Order, most: int
) -> AsyncIterator[list[TraceListRow]]:
    """Give the rows of the list, at most 500 at a time and `most` in all.

    A trace that changes its place in the meantime may be missing, or come twice. Raises what `ask` raises.
    """
    cursor = None
    while most > 0:
        keys, cursor = await _keys(warehouse, wanted, sort, order, min(KEYS_AT_ONCE, most), cursor)
        for at in range(0, len(keys), ROWS_AT_ONCE):
            yield await _rows(warehouse, keys[at : at + ROWS_AT_ONCE])
        most -= len(keys)
        if cursor is None:
            return


async def count_traces(warehouse: Warehouse, wanted: Filter) -> int:
    """Return how many traces a filter matches. Raises what `ask` raises."""
    source, conditions = traces_from(wanted)
    sql = f"SELECT count() AS rows {source} WHERE {conditions.sql()}"
    [row] = await ask(warehouse, "count traces", sql, conditions.parameters)
    return int(row["rows"])


async def _keys(
    warehouse: Warehouse, wanted: Filter, sort: TraceSort, order: Order, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """What names the rows of some traces, in the order of the list, and where it goes on."""
    source, conditions = traces_from(wanted)
    list_name = f"traces {sort} {order}"
    expression = NUMBERS.get(sort) or TEXTS[sort]
    if cursor is not None:
        last = decode(list_name, cursor, (int if sort in NUMBERS else str, str, str))
        after(conditions, (expression, "project_id", "trace_id"), last, order)
    found = await ask(
        warehouse,
        _WHAT,
        f"""
SELECT
    project_id,
    window_start,
    session_id,
    trace_id,
    {expression} AS sort_key
{source}
WHERE {conditions.sql()}
ORDER BY
    sort_key {order},
    project_id {order},
    trace_id {order}
LIMIT {{limit:UInt64}}
""",
        conditions.parameters | {"limit": limit + 1},
    )
    page = found[:limit]
    following = None
    if len(found) > limit:
        end = page[-1]
        following = encode(list_name, (end["sort_key"], end["project_id"], end["trace_id"]))
    return page, following


async def _rows(warehouse: Warehouse, page: list[dict[str, Any]]) -> list[TraceListRow]:
    if not page:
        return []
    names = ("project_id", "window_start", "session_id", "trace_id")
    keys = [tuple(row[name] for name in names) for row in page]
    rows = await ask(warehouse, _WHAT, _ROWS, {"keys": keys})
    found = {(row["project_id"], row["trace_id"]): row for row in rows}
    order = ((row["project_id"], row["trace_id"]) for row in page)
    return [TraceListRow(**found[key]) for key in order if key in found]
