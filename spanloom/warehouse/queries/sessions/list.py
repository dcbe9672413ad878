"""A page of the list of sessions: which ones first, from narrow columns; then their rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, get_args

from spanloom.spans.folding.counters import Counters
from spanloom.spans.table import COST_COLUMNS
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SessionListRow, SessionPage
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, Filter, in_scope
from spanloom.warehouse.queries.keyset import KEYS_AT_ONCE, ROWS_AT_ONCE, Order, after, decode, encode
from spanloom.warehouse.queries.sessions.keys import FIRST_INPUT, NUMBERS, TEXTS, USER, session_keys

SessionSort = Literal[
    "start_time",
    "end_time",
    "duration",
    "active_duration",
    "total_cost",
    "input_cost",
    "output_cost",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "trace_count",
    "span_count",
    "llm_call_count",
    "tool_call_count",
    "failure_count",
    "error_count",
    "session_id",
    "project_id",
    "user_id",
    "tags",
    "models",
    "services",
    "input",
]

assert set(get_args(SessionSort)) == NUMBERS.keys() | TEXTS.keys()

_WHAT = "list sessions"

_COUNTERS = tuple(name for name in Counters._fields if name in SessionListRow.model_fields)
_SUMS = ("trace_count", *(name for name in _COUNTERS if name not in COST_COLUMNS))
_COSTS = tuple(name for name in _COUNTERS if name in COST_COLUMNS)
_SETS = ("user_ids", "models", "tags", "services")

# The columns of the view `sessions`, in whole numbers.
_ROWS = f"""
SELECT
    any(w.session_hash) AS key,
    w.project_id AS project_id,
    w.session_id AS session_id,
    {USER} AS user_id,
    min(w.start_time) AS start_time,
    max(w.end_time) AS end_time,
    {NUMBERS["duration"]} AS nanoseconds,
    sum(w.active_nanoseconds) AS active_nanoseconds,
    {", ".join(f"sum(w.{name}) AS {name}" for name in _SUMS)},
    {NUMBERS["total_tokens"]} AS total_tokens,
    {", ".join(f"toFloat64({NUMBERS[name]}) / 1e12 AS {name}" for name in _COSTS)},
    {", ".join(f"arraySort(groupUniqArrayArray(w.{name})) AS {name}" for name in _SETS)},
    {FIRST_INPUT} AS input
FROM session_windows_by_session_versions AS w FINAL
PREWHERE (project_id, session_id) IN (
    SELECT
        project_id,
        session_id
    FROM session_windows_versions
    PREWHERE {{scope}} AND (session_hash IN {{{{keys:Array(Int128)}}}})
)
GROUP BY
    project_id,
    session_id
"""


async def list_sessions(
    warehouse: Warehouse,
    wanted: Filter,
    sort: SessionSort = "end_time",
    order: Order = "desc",
    limit: int = 50,
    cursor: str | None = None,
) -> SessionPage:
    """Return the sessions that a filter matches, each with its whole totals.

    Equal ones come in an order that stays. Raises `BadCursor`, and what `ask` raises.
    """
    keys, following = await _keys(warehouse, wanted, sort, order, limit, cursor)
    return SessionPage(rows=await _rows(warehouse, wanted, keys), next=following)


async def all_sessions(
    warehouse: Warehouse, wanted: Filter, sort: SessionSort, order: Order, most: int
) -> AsyncIterator[list[SessionListRow]]:
    """Give the rows of the list, at most 500 at a time and `most` in all.

    A session that changes its place in the meantime may be missing, or come twice. Raises what `ask` raises.
    """
    cursor = None
    while most > 0:
        keys, cursor = await _keys(warehouse, wanted, sort, order, min(KEYS_AT_ONCE, most), cursor)
        for at in range(0, len(keys), ROWS_AT_ONCE):
            yield await _rows(warehouse, wanted, keys[at : at + ROWS_AT_ONCE])
        most -= len(keys)
        if cursor is None:
            return


async def count_sessions(warehouse: Warehouse, wanted: Filter) -> int:
    """Return how many sessions a filter matches. Raises what `ask` raises."""
    keys = await session_keys(warehouse, wanted)
    [row] = await ask(
        warehouse,
        "count sessions",
        f"SELECT count() AS rows FROM ({keys.sql('key')})",
        keys.having.parameters,
    )
    return int(row["rows"])


async def _keys(
    warehouse: Warehouse, wanted: Filter, sort: SessionSort, order: Order, limit: int, cursor: str | None
) -> tuple[list[int], str | None]:
    """The hashes of some sessions in the order of the list, and where it goes on."""
    keys = await session_keys(warehouse, wanted)
    list_name = f"sessions {sort} {order}"
    expression = NUMBERS.get(sort) or TEXTS[sort]
    if cursor is not None:
        last = decode(list_name, cursor, (int if sort in NUMBERS else str, int))
        after(keys.having, ("sort_key", "key"), last, order)
    found = await ask(
        warehouse,
        _WHAT,
        f"""
{keys.sql(f"key, {expression} AS sort_key")}
ORDER BY
    sort_key {order},
    key {order}
LIMIT {{limit:UInt64}}
""",
        keys.having.parameters | {"limit": limit + 1},
    )
    page = found[:limit]
    following = encode(list_name, (page[-1]["sort_key"], page[-1]["key"])) if len(found) > limit else None
    return [row["key"] for row in page], following


async def _rows(warehouse: Warehouse, wanted: Filter, keys: list[int]) -> list[SessionListRow]:
    """The rows of some sessions, in their order."""
    if not keys:
        return []
    scope = Conditions({"keys": keys})
    in_scope(scope, wanted.project, wanted.visible)
    rows = await ask(warehouse, _WHAT, _ROWS.format(scope=scope.sql()), scope.parameters)
    found = {row.pop("key"): row for row in rows}
    return [_row(found[key]) for key in keys if key in found]


def _row(row: dict[str, Any]) -> SessionListRow:
    return SessionListRow(
        **row,
        duration=row["nanoseconds"] / 1e9,
        active_duration=row["active_nanoseconds"] / 1e9,
        has_errors=row["error_count"] > 0,
    )
