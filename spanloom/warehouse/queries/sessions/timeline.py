"""When each trace of a session ran, and its LLM calls, tools and errors inside it."""

from __future__ import annotations

from collections import defaultdict

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Timeline, TimelineSpan, TimelineTrace
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions
from spanloom.warehouse.queries.keyset import after, decode, encode

TRACES_AT_ONCE = 1000
"""Bars in one answer."""

SPANS_A_TRACE = 100
"""Coloured stretches in one bar: more could not be seen apart."""

_BARS = """
SELECT
    trace_id,
    name,
    start_time,
    end_time,
    status,
    failure_count,
    toUnixTimestamp64Nano(start_time) AS sort_key
FROM traces
WHERE (project_id = {project:String}) AND (session_id = {session:String}) AND {behind}
ORDER BY
    sort_key,
    trace_id
LIMIT {limit:UInt64}
"""

# What the view `spans` has (of a span that was written twice with one version, either). FINAL would merge all that
# is read, of which these spans are one in a hundred.
_SPANS = """
SELECT
    trace_id,
    span_id,
    name,
    multiIf(status = 'error', 'error', span_type = 'LLM', 'llm', 'tool') AS kind,
    start_time,
    end_time
FROM
(
    SELECT
        trace_id,
        span_id,
        name,
        span_type,
        status,
        start_time,
        end_time,
        is_deleted
    FROM spans_versions
    PREWHERE (project_id = {project:String}) AND (trace_id IN {traces:Array(String)})
    ORDER BY
        trace_id,
        span_id,
        version DESC
    LIMIT 1 BY
        trace_id,
        span_id
) AS newest
WHERE (is_deleted = 0) AND ((span_type IN ('LLM', 'TOOL')) OR (status = 'error'))
ORDER BY
    trace_id,
    newest.start_time,
    span_id
LIMIT {spans:UInt64} BY trace_id
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
    spans: dict[str, list[TimelineSpan]] = defaultdict(list)
    if bars:
        parameters = {
            "project": project,
            "traces": [bar["trace_id"] for bar in bars],
            "spans": SPANS_A_TRACE + 1,
        }
        for row in await ask(warehouse, what, _SPANS, parameters):
            spans[row.pop("trace_id")].append(TimelineSpan.model_construct(**row))
    traces = [
        TimelineTrace(
            **bar,
            number=place,
            spans=spans[bar["trace_id"]][:SPANS_A_TRACE],
            complete=len(spans[bar["trace_id"]]) <= SPANS_A_TRACE,
        )
        for place, bar in enumerate(bars, number + 1)
    ]
    following = None
    if len(found) > TRACES_AT_ONCE:
        last_bar = bars[-1]
        following = encode("timeline", (number + TRACES_AT_ONCE, last_bar["sort_key"], last_bar["trace_id"]))
    return Timeline(traces=traces, next=following)
