"""Which sessions a filter matches: one row each, from the narrow columns of their windows.

A session's row exists only as the sum over its windows, so conditions on totals hold after GROUP BY. What the
range leaves out is decided there too, exactly; but a session with no window that ends in or after the range is
left out before, and so is, where a filter names a text or metadata, one without a trace that has them. (Where the
range holds most of all windows that is no gain, and not done.)

A session goes by its hash, which stands in a column. Measured on 1.7 million windows (CPU, FINAL): GROUP BY
project_id, session_id takes three times as long as by one text of both, and that (240 ms) three times as long as by
`session_hash` (84 ms); to find the windows of a day's sessions takes 160 ms by `session_id`, 85 ms by `session_hash`.
"""

from __future__ import annotations

from dataclasses import dataclass

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import (
    SESSION_PART,
    SINCE,
    UNTIL,
    Conditions,
    Filter,
    in_range,
    in_scope,
    in_windows,
    nanoseconds,
    no_later_than_stored,
    with_text_and_metadata,
    within_bounds,
)

USER = "argMinIf(w.user_id, (w.user_since, w.user_id), w.user_id != '')"

FIRST_INPUT = "argMinIf(w.first_input, w.window_start, w.first_input != '')"

NUMBERS = {
    "start_time": f"min({no_later_than_stored('w.start_time', 'w.version')})",
    "end_time": f"max({no_later_than_stored('w.end_time', 'w.version')})",
    "duration": "toUnixTimestamp64Nano(max(w.end_time)) - toUnixTimestamp64Nano(min(w.start_time))",
    "active_duration": "sum(w.active_nanoseconds)",
    "total_cost": "sum(toInt128(round(w.total_cost * 1e12)))",
    "input_cost": "sum(toInt128(round(w.input_cost * 1e12)))",
    "output_cost": "sum(toInt128(round(w.output_cost * 1e12)))",
    "total_tokens": "sum(w.input_tokens) + sum(w.output_tokens) + sum(w.unsplit_tokens)",
    "input_tokens": "sum(w.input_tokens)",
    "output_tokens": "sum(w.output_tokens)",
    "trace_count": "sum(w.trace_count)",
    "span_count": "sum(w.span_count)",
    "llm_call_count": "sum(w.llm_call_count)",
    "tool_call_count": "sum(w.tool_call_count)",
    "failure_count": "sum(w.failure_count)",
    "error_count": "sum(w.error_count)",
}
"""Whole numbers to sort by: nanoseconds, picodollars, counts. By time no row stands later than it was stored."""

TEXTS = {
    "session_id": "any(w.session_id)",
    "project_id": "any(toString(w.project_id))",
    "user_id": USER,
    "tags": "arrayStringConcat(arraySort(groupUniqArrayArray(w.tags)), ', ')",
    "models": "arrayStringConcat(arraySort(groupUniqArrayArray(w.models)), ', ')",
    "services": "arrayStringConcat(arraySort(groupUniqArrayArray(w.services)), ', ')",
    "input": FIRST_INPUT,
}
"""Texts to sort by."""


SESSION_HASH = "reinterpretAsInt128(sipHash128Reference(project_id, session_id))"
"""What `session_hash` holds: 128 bits, which no two sessions share."""


@dataclass(frozen=True)
class SessionKeys:
    """The conditions before and after GROUP BY, with the parameters of both."""

    before: str
    having: Conditions

    def sql(self, columns: str) -> str:
        """A query of one row a session."""
        return f"""
SELECT
    {columns}
FROM session_windows_versions AS w FINAL
PREWHERE {self.before}
GROUP BY session_hash AS key
HAVING {self.having.sql()}
"""


_SHARE = """
SELECT
    countIf(window_start < toDateTime({second:UInt32}, 'UTC')) AS before,
    count() AS everything
FROM session_windows_versions
WHERE {scope}
"""


async def session_keys(warehouse: Warehouse, wanted: Filter) -> SessionKeys:
    """The conditions of a filter; asks how many windows lie before its range."""
    narrow = False
    if wanted.since is not None and not (wanted.text or wanted.metadata):
        scope = Conditions({"second": min(int(wanted.since.timestamp()), 2**32 - 1)})
        in_scope(scope, wanted.project, wanted.visible)
        sql = _SHARE.replace("{scope}", scope.sql())
        [share] = await ask(warehouse, "count session windows", sql, scope.parameters)
        narrow = share["before"] > share["everything"] / 2
    return _keys(wanted, narrow)


def _keys(wanted: Filter, narrow: bool) -> SessionKeys:
    before = Conditions()
    in_scope(before, wanted.project, wanted.visible)
    if wanted.session_id:
        before.add(SESSION_PART, part=bounded_id(wanted.session_id))
    if wanted.text or wanted.metadata:
        before.add(_with_matching_trace(wanted, before.parameters))
    elif narrow:
        before.add(_active_since(wanted, before.parameters))
    having = Conditions(before.parameters)
    if wanted.since is not None:
        having.add(f"max(w.end_time) >= {SINCE}", since=nanoseconds(wanted.since))
    if wanted.until is not None:
        having.add(f"min(w.start_time) <= {UNTIL}", until=nanoseconds(wanted.until))
    if wanted.user:
        having.add("max(has(w.user_ids, {user:String}))", user=bounded_id(wanted.user))
    for column in ("tags", "models", "services"):
        for number, value in enumerate(getattr(wanted, column)):
            having.add(f"max(has(w.{column}, {{{column}{number}:String}}))", **{f"{column}{number}": value})
    if wanted.status is not None:
        having.add(
            {"ok": "sum(w.error_count) = 0", "error": "sum(w.error_count) > 0"}.get(wanted.status, "false")
        )
    within_bounds(
        having,
        wanted,
        {
            "traces": NUMBERS["trace_count"],
            "duration": NUMBERS["duration"],
            "tokens": NUMBERS["total_tokens"],
            "cost": NUMBERS["total_cost"],
        },
    )
    return SessionKeys(before.sql(), having)


# Without FINAL: it may name too many sessions, never too few.
def _active_since(wanted: Filter, parameters: dict[str, object]) -> str:
    inner = Conditions(parameters)
    in_scope(inner, wanted.project, wanted.visible)
    in_range(inner, Filter(since=wanted.since))
    return f"""session_hash IN (
        SELECT session_hash
        FROM session_windows_versions
        WHERE {inner.sql()}
    )"""


def _with_matching_trace(wanted: Filter, parameters: dict[str, object]) -> str:
    windows = Conditions(parameters)
    in_scope(windows, wanted.project, wanted.visible)
    in_windows(windows, wanted)
    inner = Conditions(parameters)
    in_range(inner, wanted)
    inner.add("session_id != ''")
    with_text_and_metadata(inner, wanted)
    return f"""session_hash IN (
        SELECT {SESSION_HASH}
        FROM traces_by_time_versions FINAL
        PREWHERE {windows.sql()}
        WHERE {inner.sql()}
    )"""
