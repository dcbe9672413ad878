"""One trace: its spans as a tree without heavy texts, one span whole, or all of them whole."""

from __future__ import annotations

from typing import Any

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SpanDetail, TraceCard, TraceTree, TreeSpan, WholeTrace
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, in_scope
from spanloom.warehouse.queries.sessions.page import CARD_COLUMNS, Projects, one_project

MOST_SPANS = 20_000
"""Spans of one tree."""

_DURATION = "(toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time)) / 1e9 AS duration"

_TRACE = f"""
SELECT
    {CARD_COLUMNS}
FROM traces
WHERE (trace_id = {{trace:String}}) AND {{scope}}
ORDER BY project_id
LIMIT 100
"""

_COLUMNS = {
    "duration": _DURATION,
    "status_message": "substringUTF8(s.status_message, 1, 200) AS status_message",
    "event_count": "length(events.name) AS event_count",
}

_SPANS = """
SELECT
    {columns}
FROM spans_versions AS s FINAL
PREWHERE (trace_id = {trace:String}) AND {scope}
ORDER BY
    project_id,
    s.start_time,
    s.end_time DESC,
    span_id
LIMIT {limit:UInt64}
"""

TREE_COLUMNS = ", ".join(["project_id", *(_COLUMNS.get(name, name) for name in TreeSpan.model_fields)])


async def trace_tree(
    warehouse: Warehouse, trace_id: str, project: str | None = None, visible: Projects = None
) -> TraceTree | None:
    """Return a trace and its spans; None if none is visible to the caller.

    Raises:
        Ambiguous: several projects have one, and none was named.
    """
    found = await _card_and_spans(warehouse, trace_id, project, visible, TREE_COLUMNS, MOST_SPANS)
    if found is None:
        return None
    card, rows, complete = found
    spans = [TreeSpan.model_construct(**_without_project(row)) for row in rows]
    return TraceTree(trace=card, spans=spans, complete=complete)


async def whole_trace(
    warehouse: Warehouse,
    trace_id: str,
    project: str | None = None,
    visible: Projects = None,
    most_spans: int = 1000,
) -> WholeTrace | None:
    """Return a trace and its first spans whole; None if none is visible to the caller.

    Raises:
        Ambiguous: several projects have one, and none was named.
    """
    found = await _card_and_spans(warehouse, trace_id, project, visible, WHOLE_COLUMNS, most_spans)
    if found is None:
        return None
    card, rows, complete = found
    return WholeTrace(trace=card, spans=[whole_span(row) for row in rows], complete=complete)


async def _card_and_spans(
    warehouse: Warehouse, trace_id: str, project: str | None, visible: Projects, columns: str, most: int
) -> tuple[TraceCard | None, list[dict[str, Any]], bool] | None:
    """The trace's row, its first spans, and whether these are all; None where there is nothing."""
    scope = Conditions({"trace": trace_id.lower(), "limit": most + 1})
    in_scope(scope, project, visible)
    rows = await ask(warehouse, "read a trace", _TRACE.replace("{scope}", scope.sql()), scope.parameters)
    if rows:
        # The project stands first in the sort key of the spans: without it they take a hundred times as long.
        in_scope(scope, one_project((row["project_id"] for row in rows), "trace"), None)
    sql = _SPANS.replace("{columns}", columns).replace("{scope}", scope.sql())
    spans = await ask(warehouse, "read a trace's spans", sql, scope.parameters)
    if not rows and not spans:
        return None
    one_project((row["project_id"] for row in (*rows, *spans)), "trace")
    card = TraceCard(**rows[0], number=0, has_errors=rows[0]["error_count"] > 0) if rows else None
    return card, spans[:most], len(spans) <= most


def _without_project(row: dict[str, Any]) -> dict[str, Any]:
    del row["project_id"]
    row["priced"] = bool(row["priced"])
    return row


_COMPUTED = {"duration": _DURATION, "attributes": "all_attributes AS attributes"}

WHOLE_COLUMNS = ", ".join(
    _COMPUTED.get(name, name) for name in SpanDetail.model_fields if name != "event_count"
)
"""Of `spans_versions FINAL`, all that a `SpanDetail` has."""

_PLACES = """
SELECT DISTINCT project_id
FROM {table}
WHERE (trace_id = {trace:String}) AND {scope}
LIMIT 100
"""

_SPAN = f"""
SELECT
    {WHOLE_COLUMNS}
FROM spans_versions FINAL
PREWHERE (trace_id = {{trace:String}}) AND (span_id = {{span:String}}) AND {{scope}}
ORDER BY project_id
LIMIT 2
"""


async def span_detail(
    warehouse: Warehouse,
    trace_id: str,
    span_id: str,
    project: str | None = None,
    visible: Projects = None,
) -> SpanDetail | None:
    """Return a span whole; None if none is visible to the caller. Raises `Ambiguous`."""
    scope = Conditions()
    in_scope(scope, project, visible)
    key = {"trace": trace_id.lower()}
    if project is None:
        place = await _place(warehouse, "traces_versions", scope, trace_id)
        if place is not None:
            in_scope(scope, place, None)
    rows = await ask(
        warehouse,
        "read a span",
        _SPAN.replace("{scope}", scope.sql()),
        scope.parameters | key | {"span": span_id.lower()},
    )
    if not rows:
        return None
    one_project((row["project_id"] for row in rows), "span")
    return whole_span(rows[0])


async def find_trace(
    warehouse: Warehouse, trace_id: str, project: str | None = None, visible: Projects = None
) -> str | None:
    """Return the project of a trace, whose row may not be there yet; None if none is visible to the caller.

    Raises:
        Ambiguous: several projects have one, and none was named.
    """
    scope = Conditions()
    in_scope(scope, project, visible)
    found = await _place(warehouse, "traces_versions", scope, trace_id)
    return found if found is not None else await _place(warehouse, "spans_versions", scope, trace_id)


async def _place(warehouse: Warehouse, table: str, scope: Conditions, trace_id: str) -> str | None:
    sql = _PLACES.replace("{table}", table).replace("{scope}", scope.sql())
    rows = await ask(warehouse, "find a trace", sql, scope.parameters | {"trace": trace_id.lower()})
    return one_project((row["project_id"] for row in rows), "trace") if rows else None


def whole_span(row: dict[str, Any]) -> SpanDetail:
    """A span from a row of WHOLE_COLUMNS."""
    return SpanDetail(**row, event_count=len(row["events"]))
