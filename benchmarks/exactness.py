"""Whether ClickHouse shows the truth: session by session, and the sums of sessions, traces and spans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.load.load import Totals, Truth
from benchmarks.parts import Installation

PROJECT = "default"

Ask = Callable[[str], list[dict[str, Any]]]
"""Gives the rows of a query."""

_SUMS = """
    sum(span_count) AS spans,
    sum(llm_call_count) AS llm_calls,
    sum(tool_call_count) AS tool_calls,
    sum(error_count) AS errors,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    round(sum(total_cost), 12) AS cost
"""

_SESSIONS = f"""SELECT session_id, sum(trace_count) AS traces, {_SUMS}
FROM spanloom.sessions WHERE project_id = '{PROJECT}' GROUP BY session_id"""

_TRACES = f"""SELECT session_id != '' AS in_session, count() AS traces, {_SUMS}
FROM spanloom.traces WHERE project_id = '{PROJECT}' GROUP BY in_session"""

_SPANS = f"""SELECT count() AS spans, uniqExact(trace_id) AS traces,
    sumIf(input_tokens, counts) AS input_tokens, sumIf(output_tokens, counts) AS output_tokens,
    toFloat64(sumIf(toInt128(round(total_cost * 1e12)), cost_counts)) / 1e12 AS cost
FROM spanloom.spans WHERE project_id = '{PROJECT}'"""

_PROGRESS = f"""SELECT sum(span_count) AS spans, sum(trace_count) AS traces
FROM spanloom.sessions WHERE project_id = '{PROJECT}'"""


def spans_in_sessions(stack: Installation) -> int:
    """How many spans the view `sessions` shows so far."""
    return int(stack.query(_PROGRESS)[0]["spans"])


def differences(ask: Ask, truth: Truth) -> Iterator[str]:
    """A sentence for each difference between the views and the truth; none if they are exact."""
    sessions = {row["session_id"]: _totals(row) for row in ask(_SESSIONS)}
    for session_id in sorted(sessions.keys() | truth.sessions.keys()):
        found, expected = sessions.get(session_id), truth.sessions.get(session_id)
        if found != expected:
            yield f"session {session_id}: {found}, not {expected}"
    traces = Totals()
    for row in ask(_TRACES):
        totals = _totals(row)
        traces.add(totals)
        if row["in_session"] and totals != truth.in_sessions():
            yield f"traces with a session: {totals}, not {truth.in_sessions()}"
    if traces != truth.all:
        yield f"all traces: {traces}, not {truth.all}"
    spans = ask(_SPANS)[0]
    names = ("spans", "traces", "input_tokens", "output_tokens")
    shown = (*(int(spans[name]) for name in names), round(spans["cost"] * 10**12))
    true = (*(getattr(truth.all, name) for name in names), truth.all.cost)
    if shown != true:
        yield f"view spans: {shown}, not {true} (spans, traces, tokens in and out, picodollars)"


def _totals(row: Mapping[str, Any]) -> Totals:
    numbers = {name: int(row[name]) for name in Totals.__dataclass_fields__ if name != "cost"}
    return Totals(**numbers, cost=round(row["cost"] * 10**12))
