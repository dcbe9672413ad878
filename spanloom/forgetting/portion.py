"""Portions: traces that are forgotten together, noted in ClickHouse until nothing of them is left to do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from spanloom.forgetting.selection import Found
from spanloom.spans.folding.fact import TraceKey
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.write import EXACT

_SCHEMA = pa.schema(
    [
        pa.field("portion", pa.string(), False),
        pa.field("project_id", pa.string(), False),
        pa.field("trace_id", pa.string(), False),
        pa.field("spans", pa.uint64(), False),
        pa.field("version", pa.uint64(), False),
    ]
)


class Portion(NamedTuple):
    """Some traces of a project, and the version up to which their spans are forgotten."""

    name: str
    version: int
    traces: Sequence[Found]


async def begin(warehouse: Warehouse, traces: Sequence[Found], version: int) -> Portion:
    """Note what is to be forgotten, so that it will be, whatever happens."""
    portion = Portion(uuid.uuid4().hex, version, traces)
    rows = pa.table(
        [
            [portion.name] * len(traces),
            [found.key.project_id for found in traces],
            [found.key.trace_id.hex() for found in traces],
            pa.array([found.spans for found in traces], pa.uint64()),
            pa.array([version] * len(traces), pa.uint64()),
        ],
        schema=_SCHEMA,
    )
    await warehouse.insert_arrow("forgotten_traces", rows, EXACT)
    return portion


async def unfinished(warehouse: Warehouse) -> list[str]:
    """Return the names of the portions that are noted: of commands that were broken off, or run now."""
    rows = await warehouse.query_rows(
        "look for what is not yet forgotten", "SELECT DISTINCT portion FROM forgotten_traces ORDER BY portion"
    )
    return [row["portion"] for row in rows]


async def read(warehouse: Warehouse, name: str) -> Portion:
    """Return a portion that was noted."""
    sql = """
SELECT
    project_id,
    trace_id,
    spans,
    version
FROM forgotten_traces
WHERE portion = {portion:String}
"""
    rows = await warehouse.query_rows("read what is not yet forgotten", sql, {"portion": name})
    traces = [
        Found(TraceKey(row["project_id"], bytes.fromhex(row["trace_id"])), row["spans"]) for row in rows
    ]
    return Portion(name, max((row["version"] for row in rows), default=0), traces)
