"""Which traces are to be forgotten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, get_args

import pyarrow as pa

from spanloom.spans.folding.fact import TraceKey
from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse

Kind = Literal["session", "user", "trace", "before"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")

_OF_USER = """trace_id IN (
        SELECT trace_id
        FROM spans_versions FINAL
        WHERE project_id = {project:String} AND user_id = {value:String}
    )"""

# Traces that stand in a session, and those of which a span names it that have no row, or one that is about to be
# replaced: it names none.
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
        WHERE project_id = {project:String} AND session_id != '' AND trace_id IN (
            SELECT trace_id
            FROM spans_versions
            WHERE project_id = {project:String} AND session_id = {value:String}
        )
    )""",
    "user": _OF_USER,
    "trace": "trace_id = {value:String}",
    "before": "0",
}


class SelectionError(ValueError):
    """A selection can't be meant; one sentence, without what was given."""


class Selection(NamedTuple):
    """The traces of a project that are to be forgotten.

    `value` is the ID of a session, user or trace (32 hexadecimal digits, lower-case), or a time in ISO 8601 with its
    zone: traces that ended before.
    """

    project_id: str
    kind: Kind
    value: str

    @classmethod
    def of(cls, project_id: str, kind: Kind, given: str) -> Selection:
        """Return what somebody asks for.

        Args:
            given: the ID of a session or user as the application names it, of any length; a trace ID; or a date or a
                time in ISO 8601, UTC where it names no zone.

        Raises:
            SelectionError: it stands for nothing.
        """
        if not project_id or not given:
            raise SelectionError(
                "a name that is empty stands for nothing: name what to forget, and its project"
            )
        if kind == "trace":
            if not _TRACE_ID.fullmatch(given):
                raise SelectionError(
                    "a trace ID has 32 hexadecimal digits: copy it from its page, or from `spanloom session ID --json`"
                )
            return cls(project_id, kind, given.lower())
        if kind == "before":
            return cls(project_id, kind, _time(given).isoformat())
        return cls(project_id, kind, bounded_id(given))


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


def count_query(selection: Selection) -> tuple[str, dict[str, object]]:
    """Return the query for how much a selection holds now, one row of `Counts`, with its parameters."""
    sql = f"""
SELECT
    count() AS traces,
    sum(spans) AS spans,
    uniqExactIf(session, session != '') AS sessions
FROM ({_sql(selection.kind)})
"""
    return sql, _parameters(selection)


async def count(warehouse: Warehouse, selection: Selection) -> Counts:
    """Return how much a selection holds now."""
    [row] = await warehouse.query_rows("count what is to be forgotten", *count_query(selection))
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


async def newest_versions(warehouse: Warehouse, keys: Sequence[TraceKey]) -> dict[bytes, int]:
    """Return the highest version of any stored span of some traces of a project, by trace ID."""
    wanted = pa.table(
        {"project_id": [key.project_id for key in keys], "trace_id": [key.trace_id.hex() for key in keys]}
    )
    sql = """
SELECT
    trace_id,
    max(version) AS newest
FROM spans_versions
PREWHERE (project_id, trace_id) IN (SELECT project_id, trace_id FROM wanted)
WHERE is_deleted = 0
GROUP BY trace_id
"""
    answer = await warehouse.query_arrow("look up how new spans are", sql, wanted=wanted)
    traces, newest = answer["trace_id"].to_pylist(), answer["newest"].to_pylist()
    return {bytes.fromhex(trace): version for trace, version in zip(traces, newest, strict=True)}


def _parameters(selection: Selection) -> dict[str, object]:
    return {"project": selection.project_id, "value": selection.value}


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise SelectionError("before is no date: write one such as 2026-11-23") from None
    if time.year < 1970:
        raise SelectionError("before is no date from 1970 on: write one such as 2026-11-23")
    return time
