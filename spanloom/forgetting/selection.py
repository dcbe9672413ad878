"""Which traces are to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import pyarrow as pa

from spanloom.spans.folding.fact import TraceKey
from spanloom.warehouse.client import Warehouse

Kind = Literal["session", "user", "trace", "before"]

_OF_USER = """trace_id IN (
        SELECT trace_id
        FROM spans_versions FINAL
        WHERE project_id = {project:String} AND user_id = {value:String}
    )"""

# Traces that stand in a session, and those of whose spans one is all that is left and names it.
# A user's: those whose spans name the user, also where the trace names another one.
_TRACES: dict[Kind, str] = {
    "session": "session_id = {value:String}",
    "user": f"user_id = {{value:String}} OR {_OF_USER}",
    "trace": "trace_id = {value:String}",
    "before": "end_time < parseDateTime64BestEffort({value:String}, 9, 'UTC')",
}
_SPANS: dict[Kind, str] = {
    "session": """session_id = {value:String} AND trace_id NOT IN (
        SELECT trace_id
        FROM traces_versions FINAL
        WHERE project_id = {project:String} AND trace_id IN (
            SELECT trace_id
            FROM spans_versions
            WHERE project_id = {project:String} AND session_id = {value:String}
        )
    )""",
    "user": _OF_USER,
    "trace": "trace_id = {value:String}",
    "before": "0",
}


class Selection(NamedTuple):
    """The traces of a project that are to be forgotten.

    `value` is the ID of a session, user or trace (32 hexadecimal digits, lower-case), or a time in ISO 8601 with its
    zone: traces that ended before.
    """

    project_id: str
    kind: Kind
    value: str

    @classmethod
    def before(cls, project_id: str, time: datetime) -> Selection:
        """Return the traces that ended before a time, which must have a zone."""
        return cls(project_id, "before", time.isoformat())


class Counts(NamedTuple):
    """How much a selection holds."""

    traces: int
    spans: int
    sessions: int


class Found(NamedTuple):
    """A trace that is to be forgotten; `spans` of it are known."""

    key: TraceKey
    spans: int


def _sql(kind: Kind) -> str:
    return f"""
SELECT
    trace_id,
    max(spans) AS spans,
    min(start) AS start,
    max(session) AS session
FROM
(
    SELECT
        trace_id,
        span_count AS spans,
        start_time AS start,
        session_id AS session
    FROM traces_versions FINAL
    WHERE (project_id = {{project:String}}) AND ({_TRACES[kind]})
    UNION ALL
    SELECT
        trace_id,
        count() AS spans,
        min(start_time) AS start,
        '' AS session
    FROM spans_versions FINAL
    WHERE (project_id = {{project:String}}) AND ({_SPANS[kind]})
    GROUP BY trace_id
)
GROUP BY trace_id
"""


async def count(warehouse: Warehouse, selection: Selection) -> Counts:
    """Return how much a selection holds now."""
    sql = f"""
SELECT
    count() AS traces,
    sum(spans) AS spans,
    uniqExactIf(session, session != '') AS sessions
FROM ({_sql(selection.kind)})
"""
    [row] = await warehouse.query_rows("count what is to be forgotten", sql, _parameters(selection))
    return Counts(**row)


async def first(warehouse: Warehouse, selection: Selection, most: int) -> list[Found]:
    """Return the first `most` traces of a selection, by their start: such as came together stand together."""
    sql = f"{_sql(selection.kind)}ORDER BY start, trace_id\nLIMIT {{most:UInt32}}"
    answer = await warehouse.query_arrow(
        "list what is to be forgotten", sql, {**_parameters(selection), "most": most}
    )
    ids, spans = answer["trace_id"].to_pylist(), answer["spans"].to_pylist()
    return [
        Found(TraceKey(selection.project_id, bytes.fromhex(trace_id)), count)
        for trace_id, count in zip(ids, spans, strict=True)
    ]


async def newest_version(warehouse: Warehouse, keys: Sequence[TraceKey]) -> int:
    """Return the highest version of any stored span of some traces, 0 without any."""
    if not keys:
        return 0
    wanted = pa.table(
        {"project_id": [key.project_id for key in keys], "trace_id": [key.trace_id.hex() for key in keys]}
    )
    sql = """
SELECT max(version) AS newest
FROM spans_versions
PREWHERE (project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted)
WHERE is_deleted = 0
"""
    answer = await warehouse.query_arrow("look up how new spans are", sql, wanted=wanted)
    return int(answer["newest"][0].as_py() or 0)


def _parameters(selection: Selection) -> dict[str, object]:
    return {"project": selection.project_id, "value": selection.value}
