"""The values to filter by: those that occur in a range."""

from __future__ import annotations

import asyncio
from itertools import chain

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Facet, Facets
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, Filter, in_range, in_scope
from spanloom.warehouse.queries.overview.histogram import Kind
from spanloom.warehouse.queries.traces.list import traces_from

MOST_VALUES = 100
"""Values of each kind at most, the most frequent first."""

_USERS = {"sessions": "arrayJoin(user_ids)", "traces": "user_id"}

# Few rows differ in these, and FINAL is read once instead of once a kind of value.
_LABELS = f"""
SELECT
    pair.1 AS kind,
    pair.2 AS value,
    sum(n) AS n
FROM
(
    SELECT models, services, tags, project_id, count() AS n
    {{source}}
    WHERE {{conditions}}
    GROUP BY models, services, tags, project_id
)
ARRAY JOIN arrayConcat(
    arrayMap(value -> ('models', toString(value)), models),
    arrayMap(value -> ('services', toString(value)), services),
    arrayMap(value -> ('tags', toString(value)), tags),
    [('projects', toString(project_id))]
) AS pair
WHERE value != ''
GROUP BY kind, value
ORDER BY n DESC, value
LIMIT {MOST_VALUES} BY kind
"""

_OF_USERS = f"""
SELECT
    'users' AS kind,
    {{user}} AS value,
    count() AS n
{{source}}
WHERE {{conditions}}
GROUP BY value
HAVING value != ''
ORDER BY n DESC, value
LIMIT {MOST_VALUES}
"""


async def facets(warehouse: Warehouse, kind: Kind, wanted: Filter) -> Facets:
    """Return the values in session windows or traces that overlap the range, within the scope of a filter."""
    if kind == "traces":
        scope = Filter(project=wanted.project, visible=wanted.visible, since=wanted.since, until=wanted.until)
        source, conditions = traces_from(scope)
    else:
        source, conditions = "FROM session_windows_versions FINAL", Conditions()
        in_scope(conditions, wanted.project, wanted.visible)
        in_range(conditions, wanted)
    answers = await asyncio.gather(
        *(
            ask(
                warehouse,
                "list what there is to filter by",
                sql.format(source=source, conditions=conditions.sql(), user=_USERS[kind]),
                conditions.parameters,
            )
            for sql in (_LABELS, _OF_USERS)
        )
    )
    found: dict[str, list[Facet]] = {name: [] for name in Facets.model_fields}
    for row in chain.from_iterable(answers):
        found[row["kind"]].append(Facet(value=row["value"], count=row["n"]))
    return Facets(**found)


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
