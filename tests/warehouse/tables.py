"""Table rows for the tests, and plain SQL to read them back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pyarrow as pa

from spanloom.spans.table import SPAN_TABLE
from spanloom.warehouse.client import Warehouse, new_client
from spanloom.warehouse.settings import ClickHouseSettings
from spanloom.warehouse.write import insert

Result = TypeVar("Result")

SECOND = 1_000_000_000
HOUR = 3600
START = 1_790_000_000 - 1_790_000_000 % HOUR
"""The full hour (seconds since the epoch) at which the tests' events begin."""


def stored(hours: float, number: int = 0) -> int:
    """The version of a row that was stored some hours after START; `number` tells those of one moment apart."""
    return round((START + hours * HOUR) * 1000) << 22 | number


STORED = stored(365 * 24)
"""The version of what no test says otherwise of: long after everything in it."""

_TIMES = ("start_time", "end_time", "user_since")
_LISTS = (
    "tags",
    "services",
    "models",
    "user_ids",
    "environments",
    "releases",
    "counts_otherwise",
    "cost_counts_otherwise",
    "unpriced_otherwise",
)
_TEXTS = (
    "project_id",
    "session_id",
    "trace_id",
    "name",
    "user_id",
    "status",
    "environment",
    "release",
    "root_span_id",
    "input",
    "output",
    "first_input",
)
_COSTS = ("input_cost", "output_cost", "total_cost")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The coroutine's result."""
    return asyncio.run(coroutine)


def sql(settings: ClickHouseSettings, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement as anybody could, outside any database; return its rows."""
    client = new_client(settings, None)
    try:
        if statement.startswith(("SELECT", "DESCRIBE", "EXPLAIN")):
            return [tuple(row) for row in client.query(statement).result_rows]
        client.command(statement)
        return []
    finally:
        client.close()


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on the warehouse's database."""
    return [tuple(row.values()) for row in run(warehouse.query_rows("read", query))]


def spans(*spans: dict[str, Any]) -> pa.Table:
    """A full span table with versions; what a span does not name is empty."""
    empty = {field.name: _nothing(field.type) for field in SPAN_TABLE}
    start = START * SECOND
    defaults = empty | {
        "start_time": start,
        "end_time": start + SECOND,
        "span_type": "DEFAULT",
        "status": "ok",
    }
    schema = SPAN_TABLE.append(pa.field("version", pa.uint64())).append(pa.field("is_deleted", pa.uint8()))
    return pa.Table.from_pylist(
        [defaults | {"version": 1, "is_deleted": 0} | span for span in spans], schema=schema
    )


def partial(*values: dict[str, Any]) -> pa.Table:
    """Some columns of traces or session windows, in their types; ClickHouse fills the others."""
    return pa.table({name: pa.array([row[name] for row in values], _type(name)) for name in values[0]})


def put(warehouse: Warehouse, table: str, content: pa.Table) -> None:
    """Insert and wait."""
    run(insert(warehouse, table, content))


def window(project: str, session: str, hour: int, **values: Any) -> dict[str, Any]:
    """A session window that begins `hour` hours after START and whose events fill its first minute."""
    start = START + hour * HOUR
    times = {"start_time": start * SECOND, "end_time": (start + 60) * SECOND}
    key = {"project_id": project, "session_id": session, "window_start": start}
    return key | times | {"trace_count": 1, "version": STORED, "is_deleted": 0} | values


def _nothing(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        return []
    return "" if pa.types.is_string(kind) else 0


def _type(name: str) -> pa.DataType:
    if name in _TEXTS:
        return pa.string()
    if name in _TIMES:
        return pa.timestamp("ns", "UTC")
    if name in _LISTS:
        return pa.list_(pa.string())
    if name in _COSTS:
        return pa.float64()
    if name == "metadata":
        return pa.map_(pa.string(), pa.string())
    if name == "window_start":
        return pa.timestamp("s", "UTC")
    return pa.uint8() if name == "is_deleted" else pa.uint64()
