"""The audit: who had what kind of thing forgotten, when, and how much it was; never what it was."""

from __future__ import annotations

import logging
from typing import Literal, NamedTuple

import pyarrow as pa

from spanloom.forgetting.selection import Selection
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.write import EXACT

logger = logging.getLogger("spanloom.forgetting")

Step = Literal["begun", "done", "failed"]


class Entry(NamedTuple):
    """Something that is forgotten on somebody's behalf; all its lines in the audit have its ID."""

    erasure_id: str
    who: str
    selection: Selection


async def note(warehouse: Warehouse, entry: Entry, step: Step, traces: int = 0, spans: int = 0) -> None:
    """Add a line to the audit, and to the log."""
    selection = entry.selection
    logger.info(
        "forgetting %s: %s of project %s, by %s, %d traces, %d spans",
        step,
        selection.kind,
        selection.project_id,
        entry.who,
        traces,
        spans,
    )
    row = {
        "erasure_id": [entry.erasure_id],
        "step": [step],
        "who": [entry.who],
        "project_id": [selection.project_id],
        "kind": [selection.kind],
        "traces": pa.array([traces], pa.uint64()),
        "spans": pa.array([spans], pa.uint64()),
    }
    await warehouse.insert_arrow("erasures", pa.table(row), EXACT)


async def is_settled(warehouse: Warehouse, erasure_id: str) -> bool:
    """Whether the audit says that something has come to its end."""
    sql = """
SELECT count() AS lines
FROM erasures
WHERE (erasure_id = {erasure:String}) AND (step IN ('done', 'failed'))
"""
    [row] = await warehouse.query_rows("look whether it is forgotten", sql, {"erasure": erasure_id})
    return bool(row["lines"])
