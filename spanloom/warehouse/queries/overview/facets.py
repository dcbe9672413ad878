"""The values to filter by: those that occur in a range."""

from __future__ import annotations

import asyncio

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Facet, Facets
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, Filter, in_range, in_scope
from spanloom.warehouse.queries.overview.histogram import Kind

MOST_VALUES = 100
"""Values of each kind at most, the most frequent first."""

_TABLES = {"sessions": "session_windows_versions", "traces": "traces_by_time_versions"}

_VALUES = {
    "models": "arrayJoin(models)",
    "services": "arrayJoin(services)",
    "tags": "arrayJoin(tags)",
    "users": "",
    "projects": "project_id",
}
_USERS = {"sessions": "arrayJoin(user_ids)", "traces": "user_id"}


async def facets(warehouse: Warehouse, kind: Kind, wanted: Filter) -> Facets:
    """Return the values in session windows or traces that overlap the range, within the scope of a filter."""
    conditions = Conditions()
    in_scope(conditions, wanted.project, wanted.visible)
    in_range(conditions, wanted)

    async def values(expression: str) -> list[Facet]:
        sql = f"""
SELECT
    {expression} AS value,
    count() AS n
FROM {_TABLES[kind]} FINAL
WHERE {conditions.sql()}
GROUP BY value
HAVING value != ''
ORDER BY
    n DESC,
    value
LIMIT {{limit:UInt64}}
"""
        rows = await ask(
            warehouse, "list what there is to filter by", sql, conditions.parameters | {"limit": MOST_VALUES}
        )
        return [Facet(value=row["value"], count=row["n"]) for row in rows]

    expressions = _VALUES | {"users": _USERS[kind]}
    answers = await asyncio.gather(*(values(expression) for expression in expressions.values()))
    return Facets(**dict(zip(expressions, answers, strict=True)))


_PROJECTS = """
SELECT DISTINCT project_id
FROM traces_by_time_versions
WHERE {scope}
ORDER BY project_id
"""


async def projects(warehouse: Warehouse, visible: frozenset[str] | None = None) -> list[str]:
    """Return the projects that have ever had a trace, of those visible to the caller."""
    conditions = Conditions()
    in_scope(conditions, None, visible)
    sql = _PROJECTS.format(scope=conditions.sql())
    rows = await ask(warehouse, "list projects", sql, conditions.parameters)
    return [row["project_id"] for row in rows]
