"""Search within a session: which traces and spans match, and where.

It goes through the session in order, some traces at a time, because a trace's spans lie in a place of their
own and each takes a read: an answer looks through at most `TRACES_AT_ONCE` and holds where to go on.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SearchAnswer, SpanMatch, TraceMatch
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions
from spanloom.warehouse.queries.keyset import after, decode, encode
from spanloom.warehouse.queries.snippets import snippets

TRACES_AT_ONCE = 50
SPANS_A_TRACE = 50

# How much of a long text is looked at for snippets, in characters: from `_BEFORE` before the first hit.
_BEFORE = 100
_EXCERPT = 4_000


@dataclass(frozen=True, kw_only=True)
class SearchFilter:
    """Everything given must hold. Durations are seconds, costs USD, bounds inclusive."""

    text: str = ""
    span_type: str | None = None
    status: Literal["ok", "error", "unset"] | None = None
    model: str | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    min_tokens: int | None = None
    min_cost: float | None = None


_DURATION_NS = "(toUnixTimestamp64Nano(t.end_time) - toUnixTimestamp64Nano(t.start_time))"
_TAGS = "arrayStringConcat(t.tags, ', ')"
_FOUND = "positionCaseInsensitiveUTF8(normalizeUTF8NFC({column}), normalizeUTF8NFC({{text:String}}))"


def _excerpt(name: str, column: str) -> str:
    at = _FOUND.format(column=column)
    start = f"greatest(1, {at} - {_BEFORE})"
    return (
        f"if({at} > 0 AND {{text:String}} != '', substringUTF8(normalizeUTF8NFC({column}), {start}, {_EXCERPT}), '') "
        f"AS {name}_excerpt, {at} > {_BEFORE + 1} AS {name}_cut_before, "
        f"lengthUTF8(normalizeUTF8NFC({column})) >= {start} + {_EXCERPT} AS {name}_cut_after"
    )


_TRACE_TEXTS = {"input": "t.input", "output": "t.output", "name": "t.name", "id": "t.trace_id", "tags": _TAGS}
_SPAN_TEXTS = {
    "input": "t.input",
    "output": "t.output",
    "name": "t.name",
    "id": "t.span_id",
    "tags": _TAGS,
    "error": "t.status_message",
}


def _any(texts: dict[str, str]) -> str:
    return " OR ".join(f"{_FOUND.format(column=column)} > 0" for column in texts.values())


def _excerpts(texts: dict[str, str]) -> str:
    return ",\n    ".join(_excerpt(name, column) for name, column in texts.items())


_TRACES = f"""
SELECT
    trace_id,
    t.name AS name,
    t.status AS status,
    t.start_time AS start_time,
    duration,
    total_tokens,
    total_cost,
    {{matches}} AS matches,
    {_excerpts(_TRACE_TEXTS)},
    toUnixTimestamp64Nano(t.start_time) AS sort_key
FROM traces AS t
WHERE (project_id = {{project:String}}) AND (session_id = {{session:String}}) AND {{behind}}
ORDER BY
    sort_key,
    trace_id
LIMIT {{limit:UInt64}}
"""

_SPANS = f"""
SELECT
    trace_id,
    span_id,
    t.name AS name,
    span_type,
    t.status AS status,
    t.model AS model,
    t.start_time AS start_time,
    {_DURATION_NS} / 1e9 AS duration,
    t.input_tokens + t.output_tokens + t.unsplit_tokens AS total_tokens,
    t.total_cost AS total_cost,
    count() OVER (PARTITION BY trace_id) AS all_spans,
    {_excerpts(_SPAN_TEXTS)}
FROM spans_versions AS t FINAL
PREWHERE (project_id = {{project:String}}) AND (trace_id IN {{traces:Array(String)}})
WHERE {{matches}}
ORDER BY
    trace_id,
    t.start_time,
    span_id
LIMIT {{spans:UInt64}} BY trace_id
"""


async def search_session(
    warehouse: Warehouse, session_id: str, project: str, wanted: SearchFilter, cursor: str | None = None
) -> SearchAnswer:
    """Look through some traces of a session, in order. Raises `BadCursor`, and what `ask` raises.

    The text may stand in the input, output, name, ID, tags or error of a span, or in a trace's own, in any
    case. A trace itself never matches a `span_type`.

    Args:
        project: one visible to the caller.
    """
    what = "search a session"
    behind = Conditions({"project": project, "session": bounded_id(session_id), "limit": TRACES_AT_ONCE + 1})
    number = 0
    if cursor is not None:
        number, *last = decode("search", cursor, (int, int, str))  # type: ignore[assignment]
        after(behind, ("toUnixTimestamp64Nano(t.start_time)", "trace_id"), last, "asc")
    of_trace = _conditions(wanted, "has(t.models, {model:String})", _any(_TRACE_TEXTS))
    if wanted.span_type is not None:
        of_trace.add("false")
    sql = _TRACES.replace("{matches}", of_trace.sql()).replace("{behind}", behind.sql())
    found = await ask(warehouse, what, sql, behind.parameters | of_trace.parameters)
    traces = found[:TRACES_AT_ONCE]
    spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if traces:
        of_span = _conditions(wanted, "t.model = {model:String}", _any(_SPAN_TEXTS))
        if wanted.span_type is not None:
            of_span.add("t.span_type = {span_type:String}", span_type=wanted.span_type)
        keys = {"project": project, "traces": [row["trace_id"] for row in traces], "spans": SPANS_A_TRACE}
        sql = _SPANS.replace("{matches}", of_span.sql())
        for row in await ask(warehouse, what, sql, of_span.parameters | keys):
            spans[row["trace_id"]].append(row)
    matches = [
        _trace_match(place, row, spans[row["trace_id"]], wanted.text)
        for place, row in enumerate(traces, number + 1)
        if row["matches"] or spans[row["trace_id"]]
    ]
    following = None
    if len(found) > TRACES_AT_ONCE:
        end = traces[-1]
        following = encode("search", (number + TRACES_AT_ONCE, end["sort_key"], end["trace_id"]))
    return SearchAnswer(traces=matches, searched=len(traces), next=following)


def _conditions(wanted: SearchFilter, model: str, has_text: str) -> Conditions:
    conditions = Conditions({"text": wanted.text})
    if wanted.status is not None:
        conditions.add("t.status = {status:String}", status=wanted.status)
    if wanted.model is not None:
        conditions.add(model, model=wanted.model)
    for name, sign, seconds in (
        ("min_duration", ">=", wanted.min_duration),
        ("max_duration", "<=", wanted.max_duration),
    ):
        if seconds is not None:
            conditions.add(f"{_DURATION_NS} {sign} {{{name}:Int64}}", **{name: round(seconds * 1e9)})
    if wanted.min_tokens is not None:
        conditions.add(
            "t.input_tokens + t.output_tokens + t.unsplit_tokens >= {min_tokens:UInt64}",
            min_tokens=wanted.min_tokens,
        )
    if wanted.min_cost is not None:
        conditions.add("t.total_cost >= {min_cost:Float64}", min_cost=wanted.min_cost)
    if wanted.text:
        conditions.add(has_text)
    return conditions


def _trace_match(number: int, row: dict[str, Any], spans: list[dict[str, Any]], text: str) -> TraceMatch:
    return TraceMatch(
        **{name: row[name] for name in TraceMatch.model_fields if name in row},
        number=number,
        snippets=_snippets(row, _TRACE_TEXTS, text) if row["matches"] else [],
        spans=[
            SpanMatch(
                **{name: span[name] for name in SpanMatch.model_fields if name in span},
                snippets=_snippets(span, _SPAN_TEXTS, text),
            )
            for span in spans
        ],
        more_spans=spans[0]["all_spans"] - len(spans) if spans else 0,
    )


def _snippets(row: dict[str, Any], texts: dict[str, str], wanted: str) -> list[Any]:
    return [
        snippet
        for name in texts
        for snippet in snippets(
            name,
            row[f"{name}_excerpt"],
            wanted,
            bool(row[f"{name}_cut_before"]),
            bool(row[f"{name}_cut_after"]),
        )
    ]
