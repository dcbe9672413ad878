"""One trace: its spans as a tree without heavy texts, and one span whole."""

from __future__ import annotations

from typing import Any

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SpanDetail, TraceCard, TraceTree, TreeSpan
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

_SPANS = f"""
SELECT
    project_id,
    {", ".join(_COLUMNS.get(name, name) for name in TreeSpan.model_fields)}
FROM spans_versions AS s FINAL
PREWHERE (trace_id = {{trace:String}}) AND {{scope}}
ORDER BY
    project_id,
    s.start_time,
    s.end_time DESC,
    span_id
LIMIT {{limit:UInt64}}
"""


async def trace_tree(
    warehouse: Warehouse, trace_id: str, project: str | None = None, visible: Projects = None
) -> TraceTree | None:
    """Return a trace and its spans; None if there is none that who asks may see.

    Raises:
        Ambiguous: several projects have one, and none was named.
    """
    scope = Conditions()
    in_scope(scope, project, visible)
    key = {"trace": trace_id.lower()}
    rows = await ask(
        warehouse, "read a trace", _TRACE.replace("{scope}", scope.sql()), scope.parameters | key
    )
    if rows:
        # The project stands first in the sort key of the spans: without it they take a hundred times as long.
        in_scope(scope, one_project((row["project_id"] for row in rows), "trace"), None)
    parameters = scope.parameters | key | {"limit": MOST_SPANS + 1}
    spans = await ask(warehouse, "read a trace's spans", _SPANS.replace("{scope}", scope.sql()), parameters)
    if not rows and not spans:
        return None
    one_project((row["project_id"] for row in (*rows, *spans)), "trace")
    card = TraceCard(**rows[0], number=0, has_errors=rows[0]["error_count"] > 0) if rows else None
    tree = [TreeSpan.model_construct(**_without_project(row)) for row in spans[:MOST_SPANS]]
    return TraceTree(trace=card, spans=tree, complete=len(spans) <= MOST_SPANS)


def _without_project(row: dict[str, Any]) -> dict[str, Any]:
    del row["project_id"]
    row["priced"] = bool(row["priced"])
    return row


_WHOLE = {"duration": _DURATION}

_PLACES = """
SELECT DISTINCT project_id
FROM traces_versions
WHERE (trace_id = {trace:String}) AND {scope}
LIMIT 100
"""

_SPAN = f"""
SELECT
    {", ".join(_WHOLE.get(name, name) for name in SpanDetail.model_fields if name != "event_count")}
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
    """Return a span whole; None if there is none that who asks may see. Raises `Ambiguous`."""
    scope = Conditions()
    in_scope(scope, project, visible)
    key = {"trace": trace_id.lower()}
    if project is None:
        places = await ask(
            warehouse, "find a trace", _PLACES.replace("{scope}", scope.sql()), scope.parameters | key
        )
        if places:
            in_scope(scope, one_project((row["project_id"] for row in places), "trace"), None)
    rows = await ask(
        warehouse,
        "read a span",
        _SPAN.replace("{scope}", scope.sql()),
        scope.parameters | key | {"span": span_id.lower()},
    )
    if not rows:
        return None
    one_project((row["project_id"] for row in rows), "span")
    return SpanDetail(**rows[0], event_count=len(rows[0]["events"]))
