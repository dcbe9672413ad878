"""When each trace of a session ran, and its LLM calls, tools and errors inside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Timeline, TimelineStretch, TimelineTrace
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import FAILED, Conditions
from spanloom.warehouse.queries.keyset import after, decode, encode

TRACES_AT_ONCE = 1000
"""Bars in one answer."""

_CELLS_A_TRACE, _CELLS = 200, 10_000
"""Spans of one kind are one stretch where no cell lies between them: a trace is so many cells long, and all that are
in one answer together so many. More could not be seen apart, and nothing is left out."""

_BARS = """
SELECT
    trace_id,
    name,
    start_time,
    end_time,
    status,
    failure_count,
    llm_call_count,
    tool_call_count,
    toUnixTimestamp64Nano(start_time) AS sort_key
FROM traces
WHERE (project_id = {project:String}) AND (session_id = {session:String}) AND {behind}
ORDER BY
    sort_key,
    trace_id
LIMIT {limit:UInt64}
"""

# What the view `spans` has (of a span that was written twice with one version, either). FINAL would merge all that
# is read, of which these spans are one in a hundred. An error stands where it began, as in `failure_count`: at the
# spans that failed and have none below them that did. Positions are cells from the start of the trace.
_STRETCHES = f"""
WITH
    newest AS
    (
        SELECT
            trace_id,
            span_id,
            parent_span_id,
            name,
            span_type,
            status,
            marks,
            start_time,
            end_time,
            is_deleted
        FROM spans_versions
        PREWHERE (project_id = {{project:String}}) AND (trace_id IN {{traces:Array(String)}})
        ORDER BY
            trace_id,
            span_id,
            version DESC
        LIMIT 1 BY
            trace_id,
            span_id
    ),
    failed AS
    (
        SELECT
            trace_id,
            parent_span_id
        FROM newest
        WHERE (is_deleted = 0) AND {FAILED}
    ),
    of_a_kind AS
    (
        SELECT
            trace_id,
            span_id,
            name,
            arrayJoin(arrayFilter(shown -> (shown != ''), [
                if(span_type = 'LLM', 'llm', ''),
                if(span_type = 'TOOL', 'tool', ''),
                if({FAILED} AND ((trace_id, span_id) NOT IN (failed)), 'error', '')
            ])) AS kind,
            start_time AS begins,
            end_time AS ends,
            transform(trace_id, {{traces:Array(String)}}, {{starts:Array(Int64)}}, toInt64(0)) AS trace_start,
            transform(trace_id, {{traces:Array(String)}}, {{cells:Array(Int64)}}, toInt64(1)) AS cell,
            intDiv(toUnixTimestamp64Nano(begins) - trace_start, cell) AS first_cell,
            intDiv(toUnixTimestamp64Nano(ends) - trace_start, cell) AS last_cell
        FROM newest
        WHERE (is_deleted = 0) AND ((span_type IN ('LLM', 'TOOL')) OR (status = 'error'))
    ),
    apart AS
    (
        SELECT
            *,
            first_cell > max(last_cell) OVER (
                PARTITION BY trace_id, kind ORDER BY begins, span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS is_apart
        FROM of_a_kind
    ),
    numbered AS
    (
        SELECT
            *,
            sum(is_apart) OVER (
                PARTITION BY trace_id, kind ORDER BY begins, span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS stretch
        FROM apart
    )
SELECT
    trace_id,
    kind,
    min(begins) AS start_time,
    max(ends) AS end_time,
    count() AS span_count,
    argMin(name, (begins, span_id)) AS name
FROM numbered
GROUP BY
    trace_id,
    kind,
    stretch
ORDER BY
    trace_id,
    start_time,
    kind
"""


async def timeline(
    warehouse: Warehouse, session_id: str, project: str, cursor: str | None = None
) -> Timeline:
    """Return the bars of a session's timeline, in order. Raises `BadCursor`.

    Args:
        project: one visible to the caller.
    """
    behind = Conditions({"project": project, "session": bounded_id(session_id), "limit": TRACES_AT_ONCE + 1})
    number = 0
    if cursor is not None:
        number, *last = decode("timeline", cursor, (int, int, str))  # type: ignore[assignment]
        after(behind, ("toUnixTimestamp64Nano(start_time)", "trace_id"), last, "asc")
    what = "draw a session's timeline"
    found = await ask(warehouse, what, _BARS.replace("{behind}", behind.sql()), behind.parameters)
    bars = found[:TRACES_AT_ONCE]
    stretches: dict[str, list[TimelineStretch]] = defaultdict(list)
    if bars:
        for row in await ask(warehouse, what, _STRETCHES, {"project": project, **_cells(bars)}):
            stretches[row.pop("trace_id")].append(TimelineStretch.model_construct(**row))
    traces = [
        TimelineTrace(**bar, number=place, stretches=stretches[bar["trace_id"]])
        for place, bar in enumerate(bars, number + 1)
    ]
    following = None
    if len(found) > TRACES_AT_ONCE:
        last_bar = bars[-1]
        following = encode("timeline", (number + TRACES_AT_ONCE, last_bar["sort_key"], last_bar["trace_id"]))
    return Timeline(traces=traces, next=following)


def _cells(bars: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """The traces, their starts, and how long a cell of each is, both in ns."""
    lengths = [round((bar["end_time"] - bar["start_time"]).total_seconds() * 1e9) for bar in bars]
    least = sum(lengths) // _CELLS
    return {
        "traces": [bar["trace_id"] for bar in bars],
        "starts": [bar["sort_key"] for bar in bars],
        "cells": [max(1, least, length // _CELLS_A_TRACE) for length in lengths],
    }
