"""Takes from ClickHouse's disks what readers don't see any more: all versions of what was forgotten.

What stays of a forgotten span is the row that hides it, with its IDs and start and no other text of it, so that an
older version that is written again (by a worker that hung, or because a topic is read anew) is never shown. The same
holds of traces and windows. A window that has other traces keeps its newest row only, for older ones may tell of the
forgotten ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from clickhouse_connect.driver.client import Client

from spanloom.forgetting.portion import Portion
from spanloom.warehouse.client import Warehouse, WarehouseError, known_settings

_POLL = 0.5
"""Seconds between two looks whether ClickHouse is done."""

_TRACE = ("project_id", "session_id", "window_start", "trace_id")
_WINDOW = ("project_id", "session_id", "window_start")

# A mutation may ask other tables only if every replica gets the same answer, or it is told that this does not matter:
# here what one leaves behind, if an insert comes meanwhile, is a row that is not the newest.
_SETTINGS = {"allow_nondeterministic_mutations": "1", "mutations_sync": "0"}

_LEFT = """
SELECT
    count() AS left,
    anyIf(latest_fail_reason, latest_fail_reason != '') AS reason
FROM system.mutations
WHERE (database = {database:String}) AND (NOT is_done) AND (position(command, {portion:String}) > 0)
"""


async def purge(warehouse: Warehouse, portion: Portion) -> None:
    """Delete all that is hidden of some traces, and old rows of their session windows; returns when it is done.

    Raises:
        WarehouseError: ClickHouse can't.
    """
    await _mutate(warehouse, portion, list(_statements(portion)))
    sql = f"ALTER TABLE forgotten_traces DELETE WHERE portion = '{portion.name}'"
    await _mutate(warehouse, portion, [sql])


async def _mutate(warehouse: Warehouse, portion: Portion, statements: list[str]) -> None:
    for sql in statements:

        def work(client: Client, sql: str = sql) -> None:
            client.command(sql, settings=known_settings(client, _SETTINGS))

        await warehouse.run("delete what was forgotten", work)
    asked = {"database": warehouse.settings.database, "portion": portion.name}
    while True:
        [row] = await warehouse.query_rows("see what is deleted", _LEFT, asked)
        if not row["left"]:
            return
        if row["reason"]:
            raise WarehouseError(f"ClickHouse can't delete what was forgotten: {row['reason'][:300]}")
        await asyncio.sleep(_POLL)


def _statements(portion: Portion) -> Iterator[str]:
    traces = f"SELECT project_id, trace_id FROM forgotten_traces WHERE portion = '{portion.name}'"
    of_traces = f"(project_id, trace_id) IN ({traces})"
    yield (
        f"ALTER TABLE spans_versions DELETE WHERE {of_traces} AND is_deleted = 0 AND version < {portion.version}"
    )
    for table in ("traces_versions", "traces_by_time_versions"):
        yield f"ALTER TABLE {table} DELETE WHERE {of_traces} AND {_is_old(table, _TRACE, of_traces)}"
    yield (
        f"ALTER TABLE span_counts_versions DELETE WHERE {of_traces} AND (project_id, trace_id) NOT IN"
        f" (SELECT project_id, trace_id FROM traces_versions FINAL WHERE {of_traces})"
    )
    windows = f"SELECT {', '.join(_WINDOW)} FROM traces_versions WHERE {of_traces}"
    of_windows = f"({', '.join(_WINDOW)}) IN ({windows})"
    for table in ("session_windows_versions", "session_windows_by_session_versions"):
        yield f"ALTER TABLE {table} DELETE WHERE {of_windows} AND {_is_old(table, _WINDOW, of_windows)}"


def _is_old(table: str, key: tuple[str, ...], which: str) -> str:
    names = ", ".join(key)
    newest = f"SELECT {names}, max(version) FROM {table} WHERE {which} GROUP BY {names}"
    return f"({names}, version) NOT IN ({newest})"
