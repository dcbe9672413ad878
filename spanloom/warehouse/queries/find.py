"""What has an ID, or one that begins like this: sessions, traces, spans and users.

No look-up reads a text. Sessions and traces lie in the order of their IDs within a project, so a beginning is a range
of the primary key, read in order up to a limit. Spans lie in the order of their traces, and users are in no key: of
these the recent ones are looked through, IDs alone. Measured on 4 million spans, 400,000 traces and as many session
windows: each look-up takes less than 0.3 s on two busy cores.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Answer, Time
from spanloom.warehouse.queries.ask import QueryLimits, TooBig, ask
from spanloom.warehouse.queries.filters import Conditions, in_scope

HitKind = Literal["session", "trace", "span", "user"]

MOST_HITS = 5
"""Hits of each kind; a whole ID comes before those that only begin like it."""

TRACE_DIGITS, SPAN_DIGITS = 4, 8
"""Hexadecimal digits from which on traces and spans are looked for: fewer are the beginning of too many."""

USER_DAYS = 30
"""How far back sessions are asked for their users, days. The page leads to the sessions of this range."""

LIMITS = QueryLimits(seconds=3.0, rows_read=200_000_000, memory_bytes=1_000_000_000)
"""Of each look-up: somebody is typing."""

_CANDIDATES = 50
"""IDs that a key is asked for: some may be of rows that are deleted."""


class Hit(Answer):
    """Something that has the ID, or one that begins like it."""

    kind: HitKind
    id: str = Field(description="The whole ID of the session, trace, span or user.")
    project_id: str = Field(description="The tenant.")
    trace_id: str = Field(description="The trace of a span; else empty.")
    name: str = Field(
        description="Of a trace or span its name, of a session how its first input begins: at most 200 characters."
    )
    time: Time = Field(description="When a trace or span started, or of a session or user the last activity.")


class Hits(Answer):
    """What was found, at most 5 of each kind."""

    hits: list[Hit] = Field(
        description="Sessions, traces, spans, users; of each kind whole IDs first, then by ID, users by last activity."
    )
    more: bool = Field(description="Whether more begin like this.")
    skipped: list[HitKind] = Field(description="Kinds of which there are too many to look through.")


# A beginning in one project must not crowd out the whole ID in another.
_CANDIDATE_IDS = f"""
    SELECT project_id, {{column}}
    FROM
    (
        SELECT project_id, {{column}}
        FROM {{table}}
        PREWHERE ({{column}} = {{{{q:String}}}}) AND ({{scope}})
        LIMIT 1 BY project_id, {{column}}
        LIMIT {_CANDIDATES}
        UNION ALL
        SELECT project_id, {{column}}
        FROM {{table}}
        PREWHERE startsWith({{column}}, {{{{q:String}}}}) AND ({{scope}})
        ORDER BY project_id, {{column}}
        LIMIT 1 BY project_id, {{column}}
        LIMIT {_CANDIDATES}
    )
"""

_ORDER = """
ORDER BY
    (id = {{q:String}}) DESC,
    id,
    project_id
LIMIT {{limit:UInt64}}
"""

_SESSIONS = f"""
SELECT
    project_id,
    w.session_id AS id,
    '' AS trace,
    substringUTF8(argMinIf(w.first_input, w.window_start, w.first_input != ''), 1, 200) AS label,
    max(w.end_time) AS time
FROM session_windows_by_session_versions AS w FINAL
PREWHERE ({{scope}}) AND ((project_id, session_id) IN ({{candidates}}))
GROUP BY
    project_id,
    session_id
{_ORDER}
"""

# The condition on trace_id alone is for its bloom filter: the sort key has the session before the trace.
_TRACES = f"""
SELECT
    project_id,
    trace_id AS id,
    '' AS trace,
    substringUTF8(name, 1, 200) AS label,
    start_time AS time
FROM traces_versions FINAL
PREWHERE ({{scope}})
    AND (trace_id IN (SELECT trace_id FROM ({{candidates}})))
    AND ((project_id, trace_id) IN ({{candidates}}))
{_ORDER}
"""

# Months are left out of the look-up only: the newest version of what it finds may lie in any.
_SPANS = f"""
SELECT
    project_id,
    span_id AS id,
    trace_id AS trace,
    substringUTF8(name, 1, 200) AS label,
    start_time AS time
FROM spans_versions FINAL
PREWHERE ({{scope}}) AND ((project_id, trace_id, span_id) IN (
    SELECT project_id, trace_id, span_id
    FROM spans_versions
    PREWHERE startsWith(span_id, {{{{q:String}}}}) AND ({{scope}})
    WHERE start_month >= {{{{month:UInt32}}}}
    LIMIT 1 BY project_id, trace_id, span_id
    LIMIT {_CANDIDATES}
))
{_ORDER}
"""

_USERS = """
SELECT
    project_id,
    arrayJoin(arrayFilter(user -> startsWith(user, {{q:String}}), user_ids)) AS id,
    '' AS trace,
    '' AS label,
    max(end_time) AS time
FROM session_windows_versions FINAL
PREWHERE ({scope}) AND (window_start >= toDateTime({{since:UInt32}}, 'UTC'))
GROUP BY
    project_id,
    id
ORDER BY
    (id = {{q:String}}) DESC,
    time DESC,
    id,
    project_id
LIMIT {{limit:UInt64}}
"""

_BY_KEY = {
    "session": ("session_windows_by_session_versions", "session_id"),
    # A row of every trace, sorted by its ID; those of deleted traces are in it, too.
    "trace": ("span_counts_versions", "trace_id"),
}

_SQL: dict[HitKind, str] = {"session": _SESSIONS, "trace": _TRACES, "span": _SPANS, "user": _USERS}

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")


async def find(
    warehouse: Warehouse,
    beginning: str,
    now: datetime,
    project: str | None = None,
    visible: frozenset[str] | None = None,
) -> Hits:
    """Return what has an ID that is, or begins with, the given text; it is not empty.

    Case counts, but for the hexadecimal IDs of traces and spans. A span is found if it started in this month or the one
    before, a user if a session was active within `USER_DAYS`. Raises what `ask` raises, but `TooBig`.

    Args:
        now: aware; from it the recent is reckoned.
    """
    scope = Conditions()
    in_scope(scope, project, visible)
    recent = {
        "month": int(f"{now - timedelta(days=31):%Y%m}"),
        "since": int((now - timedelta(days=USER_DAYS)).timestamp()),
        "limit": MOST_HITS + 1,
    }
    kinds = _kinds(beginning)

    async def rows(kind: HitKind) -> list[dict[str, Any]] | None:
        id_ = bounded_id(beginning) if kind in ("session", "user") else beginning.lower()
        table, column = _BY_KEY.get(kind, ("", ""))
        candidates = _CANDIDATE_IDS.format(table=table, column=column, scope=scope.sql())
        sql = _SQL[kind].format(candidates=candidates, scope=scope.sql())
        try:
            return await ask(warehouse, "find an ID", sql, scope.parameters | recent | {"q": id_}, LIMITS)
        except TooBig:
            return None

    found = dict(zip(kinds, await asyncio.gather(*map(rows, kinds)), strict=True))
    return Hits(
        hits=[_hit(kind, row) for kind, some in found.items() for row in (some or ())[:MOST_HITS]],
        more=any(len(some or ()) > MOST_HITS for some in found.values()),
        skipped=[kind for kind, some in found.items() if some is None],
    )


def _kinds(beginning: str) -> list[HitKind]:
    """What can have such an ID."""
    digits = len(beginning) if _HEXADECIMAL.fullmatch(beginning) else 0
    kinds: list[HitKind] = ["session"]
    if TRACE_DIGITS <= digits <= 32:
        kinds.append("trace")
    if SPAN_DIGITS <= digits <= 16:
        kinds.append("span")
    return [*kinds, "user"]


def _hit(kind: HitKind, row: dict[str, Any]) -> Hit:
    return Hit(
        kind=kind,
        id=row["id"],
        project_id=row["project_id"],
        trace_id=row["trace"],
        name=row["label"],
        time=row["time"],
    )
