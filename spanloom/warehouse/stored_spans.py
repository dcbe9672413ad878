"""Reads stored spans whole, trace by trace in the order of their keys: what `spanloom replay` sends again.

A trace is found by any of its spans, and read with all. The order never changes while rows are written, so a replay can
go on behind the last trace that it has sent. Which spans there are is asked without their texts, so that of a trace of
any size few are in memory at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from spanloom.spans.table import SPAN_TABLE
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.filters import Conditions

_TEXT = pa.string()
_TRACE_KEYS = pa.schema([("project_id", _TEXT), ("trace_id", _TEXT)])
_SPAN_KEYS = pa.schema([("project_id", _TEXT), ("trace_id", _TEXT), ("span_id", _TEXT)])

WHOLE_SPANS = SPAN_TABLE.append(pa.field("version", pa.uint64(), False))
"""The columns that `whole_spans` gives."""


class TraceId(NamedTuple):
    """What names a trace: its project, and 32 hexadecimal digits."""

    project_id: str
    trace_id: str


class StoredSpanId(NamedTuple):
    """What names a stored span, and the version of its row."""

    project_id: str
    trace_id: str
    span_id: str
    version: int


@dataclass(frozen=True, slots=True)
class StoredRange:
    """Traces with a span that starts in a stretch of time.

    Attributes:
        start: nanoseconds since the epoch.
        end: likewise; what starts then is outside.
        project: only traces of this one; '' for all.
        session: only traces that stand in this session; '' for all.
        or_stood: likewise those that stood there once: a part of one that was sent again may have moved it.
    """

    start: int
    end: int
    project: str = ""
    session: str = ""
    or_stood: bool = False


# What is asked of start_time leaves out no partition: the month is in a column of its own (0001_spans.sql).
_COUNT_SQL = """
SELECT uniq(project_id, trace_id) AS traces
FROM spans_versions FINAL
WHERE {conditions}
"""

_TRACES_SQL = """
SELECT
    project_id,
    trace_id
FROM spans_versions FINAL
WHERE {conditions}
GROUP BY
    project_id,
    trace_id
ORDER BY
    project_id,
    trace_id
LIMIT {limit:UInt64}
SETTINGS optimize_aggregation_in_order = 1
"""

_IN_SESSION = """(project_id, trace_id) IN (
    SELECT
        project_id,
        trace_id
    FROM traces_versions{final}
    WHERE (session_id = {session:String})
)"""
"""Without FINAL also those that stood there once: what takes a trace away is a row, too."""


async def count_traces(warehouse: Warehouse, wanted: StoredRange) -> int:
    """Return about how many traces there are: exactly up to some ten thousand, else within a percent."""
    conditions = _conditions(wanted)
    sql = _COUNT_SQL.replace("{conditions}", conditions.sql())
    answer = await warehouse.query_arrow("count traces", sql, conditions.parameters)
    [row] = answer.to_pylist()
    return int(row["traces"])


async def traces_after(
    warehouse: Warehouse, wanted: StoredRange, after: TraceId | None, limit: int
) -> list[TraceId]:
    """Return the next traces in the order of their keys, at most `limit`."""
    conditions = _conditions(wanted)
    if after is not None:
        conditions.add(
            "project_id > {after_project:String}"
            " OR (project_id = {after_project:String} AND trace_id > {after_trace:String})",
            after_project=after.project_id,
            after_trace=after.trace_id,
        )
    sql = _TRACES_SQL.replace("{conditions}", conditions.sql())
    answer = await warehouse.query_arrow("list traces", sql, {**conditions.parameters, "limit": limit})
    return [TraceId(row["project_id"], row["trace_id"]) for row in answer.to_pylist()]


# The condition on trace_id alone is for the bloom filter: the sort key has the session before the trace.
_COUNTED_SQL = """
SELECT
    project_id,
    trace_id,
    max(span_count) AS spans
FROM traces_versions FINAL
PREWHERE (trace_id IN (SELECT trace_id FROM wanted))
    AND ((project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted))
GROUP BY
    project_id,
    trace_id
"""


async def counted_spans(warehouse: Warehouse, traces: Sequence[TraceId]) -> dict[TraceId, int]:
    """Return how many spans the rows of some traces count; more than are stored where retention has deleted some."""
    wanted = pa.table([pa.array(column, _TEXT) for column in zip(*traces, strict=True)], schema=_TRACE_KEYS)
    answer = await warehouse.query_arrow("count the spans of traces", _COUNTED_SQL, wanted=wanted)
    return {TraceId(row["project_id"], row["trace_id"]): row["spans"] for row in answer.to_pylist()}


_SPANS_SQL = """
SELECT
    project_id,
    trace_id,
    span_id,
    version
FROM spans_versions FINAL
PREWHERE (project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted)
ORDER BY
    project_id,
    trace_id,
    version,
    span_id
"""


async def spans_of(warehouse: Warehouse, traces: Sequence[TraceId]) -> list[StoredSpanId]:
    """Return all stored spans of some traces, trace by trace, the oldest rows first."""
    if not traces:
        return []
    wanted = pa.table([pa.array(column, _TEXT) for column in zip(*traces, strict=True)], schema=_TRACE_KEYS)
    answer = await warehouse.query_arrow("list the spans of traces", _SPANS_SQL, wanted=wanted)
    return [StoredSpanId(**row) for row in answer.to_pylist()]


_WHOLE_SQL = f"""
SELECT
    {", ".join(f"all_{name} AS {name}" if name == "attributes" else name for name in WHOLE_SPANS.names)}
FROM spans_versions FINAL
PREWHERE (project_id, trace_id, span_id) IN (SELECT project_id, trace_id, span_id FROM wanted)
ORDER BY
    project_id,
    trace_id,
    version,
    span_id
"""


async def whole_spans(warehouse: Warehouse, spans: Sequence[StoredSpanId]) -> pa.Table:
    """Return the rows of some spans as WHOLE_SPANS, in the order of `spans_of`."""
    keys = zip(*(each[:3] for each in spans), strict=True)
    wanted = pa.table([pa.array(column, _TEXT) for column in keys], schema=_SPAN_KEYS)
    answer = await warehouse.query_arrow("read spans", _WHOLE_SQL, wanted=wanted)
    return answer.cast(WHOLE_SPANS)


def _conditions(wanted: StoredRange) -> Conditions:
    conditions = Conditions()
    conditions.add(
        "start_time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC')"
        " AND start_time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')",
        start=wanted.start,
        end=wanted.end,
    )
    if wanted.project:
        conditions.add("project_id = {project:String}", project=wanted.project)
    if wanted.session:
        in_session = _IN_SESSION.replace("{final}", "" if wanted.or_stood else " FINAL")
        conditions.add(in_session, session=wanted.session)
    return conditions
