"""One session: its whole totals, and its traces as the turns of a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.errors import WarehouseError
from spanloom.warehouse.queries.answers import (
    SessionCard,
    SessionDetail,
    SessionTotals,
    TraceCard,
    TraceCards,
)
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, in_scope
from spanloom.warehouse.queries.keyset import after, decode, encode
from spanloom.warehouse.queries.sessions.failures import failures_of

Projects = frozenset[str] | None
"""The projects visible to the caller; None is all."""


class Ambiguous(WarehouseError):
    """Several projects visible to the caller have it; one sentence that names them.

    Attributes:
        problem: the sentence without its advice.
    """

    def __init__(self, what: str, projects: Sequence[str]) -> None:
        self.problem = f"There is such a {what} in the projects {', '.join(projects)}"
        super().__init__(f"{self.problem}: name one with project=")


_TOTALS = f"""
SELECT
    {", ".join(SessionTotals.model_fields)}
FROM sessions
WHERE (session_id = {{session:String}}) AND {{scope}}
ORDER BY project_id
LIMIT 100
"""

# The earliest of equal values determines where a value stands.
_METADATA = """
SELECT
    key,
    groupArray(20)(value) AS values
FROM
(
    SELECT
        key,
        value,
        min(start_time) AS since
    FROM traces
    ARRAY JOIN
        mapKeys(metadata) AS key,
        mapValues(metadata) AS value
    WHERE (project_id = {project:String}) AND (session_id = {session:String})
    GROUP BY
        key,
        value
    ORDER BY
        since,
        value
)
GROUP BY key
ORDER BY key
LIMIT 200
"""


async def session_detail(
    warehouse: Warehouse, session_id: str, project: str | None = None, visible: Projects = None
) -> SessionDetail | None:
    """Return a session; None if none is visible to the caller.

    Raises:
        Ambiguous: several projects have one, and none was named.
    """
    scope = Conditions()
    in_scope(scope, project, visible)
    sql = _TOTALS.replace("{scope}", scope.sql())
    rows = await ask(warehouse, "read a session", sql, scope.parameters | {"session": bounded_id(session_id)})
    if not rows or not session_id:
        return None
    one_project((row["project_id"] for row in rows), "session")
    key = {"project": rows[0]["project_id"], "session": bounded_id(session_id)}
    metadata = await ask(warehouse, "read a session's metadata", _METADATA, key)
    return SessionDetail(
        **rows[0],
        metadata={row["key"]: row["values"] for row in metadata},
        has_errors=rows[0]["error_count"] > 0,
    )


_FIND = """
SELECT DISTINCT project_id
FROM traces_versions
WHERE (session_id = {session:String}) AND {scope}
ORDER BY project_id
LIMIT 100
"""


async def find_session(
    warehouse: Warehouse, session_id: str, project: str | None = None, visible: Projects = None
) -> str | None:
    """Return the project of a session; None if none is visible to the caller. Raises `Ambiguous`."""
    scope = Conditions()
    in_scope(scope, project, visible)
    sql = _FIND.replace("{scope}", scope.sql())
    rows = await ask(warehouse, "find a session", sql, scope.parameters | {"session": bounded_id(session_id)})
    if not rows or not session_id:
        return None
    return one_project((row["project_id"] for row in rows), "session")


def one_project(projects: Iterable[str], what: str) -> str:
    """The only one of some projects. Raises `Ambiguous`."""
    names = sorted(set(projects))
    if len(names) > 1:
        raise Ambiguous(what, names)
    return names[0]


CARD_COLUMNS = ", ".join(name for name in TraceCard.model_fields if name not in ("number", "has_errors"))

_CARDS = f"""
SELECT
    {CARD_COLUMNS},
    toUnixTimestamp64Nano(start_time) AS sort_key,
    toUnixTimestamp64Nano(end_time) AS end_key
FROM traces
WHERE (project_id = {{project:String}}) AND (session_id = {{session:String}}) AND {{behind}}
ORDER BY
    sort_key,
    trace_id
LIMIT {{limit:UInt64}}
"""


async def session_cards(
    warehouse: Warehouse, session_id: str, project: str, limit: int = 50, cursor: str | None = None
) -> TraceCards:
    """Return traces of a session by start and trace ID. Raises `BadCursor`.

    Args:
        project: one visible to the caller.
    """
    behind = Conditions({"project": project, "session": bounded_id(session_id), "limit": limit + 1})
    number, latest = 0, None  # of the traces before: how many, and when the last of them ended, in ns
    if cursor is not None:
        number, *last, latest = decode("cards", cursor, (int, int, str, int))  # type: ignore[assignment]
        after(behind, ("toUnixTimestamp64Nano(start_time)", "trace_id"), last, "asc")
    rows = await ask(
        warehouse, "read a session's traces", _CARDS.replace("{behind}", behind.sql()), behind.parameters
    )
    page = rows[:limit]
    failures = await failures_of(
        warehouse, project, [row["trace_id"] for row in page if row["failure_count"]]
    )
    cards = []
    for place, row in enumerate(page, number + 1):
        end_key = row.pop("end_key")
        cards.append(
            SessionCard(
                **row,
                number=place,
                has_errors=row["error_count"] > 0,
                failures=failures.get(row["trace_id"], [])[: row["failure_count"]],
                pause=None if latest is None else (row["sort_key"] - latest) / 1e9,
            )
        )
        latest = end_key if latest is None else max(latest, end_key)
    following = None
    if len(rows) > limit:
        last_row = page[-1]
        following = encode("cards", (number + limit, last_row["sort_key"], last_row["trace_id"], latest or 0))
    return TraceCards(rows=cards, next=following)
