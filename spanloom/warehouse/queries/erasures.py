"""How far something is that was to be forgotten, as the audit says."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.ask import ask

Status = Literal["waiting", "running", "done", "failed"]


class Erasure(BaseModel):
    """A request to forget, and what became of it."""

    id: str
    project: str
    status: Status
    kind: str = Field("", description="session, user, trace or before; empty while it waits.")
    traces: int = Field(0, description="How many are, or were, to be forgotten.")
    spans: int = 0
    begun: datetime | None = None
    ended: datetime | None = None


# One that was broken off has begun several times, and later runs count what was left only.
_ERASURE = """
SELECT
    any(kind) AS kind,
    max(traces) AS traces,
    max(spans) AS spans,
    minIf(time, step = 'begun') AS begun,
    max(time) AS last,
    countIf(step = 'done') AS done,
    countIf(step = 'failed') AS failed
FROM erasures
WHERE (erasure_id = {erasure:String}) AND (project_id = {project:String})
HAVING count() > 0
"""


async def find_erasure(warehouse: Warehouse, erasure_id: str, project: str) -> Erasure | None:
    """Return what the audit has of an erasure in a project, None where that is nothing. Raises what `ask` raises."""
    asked = {"erasure": erasure_id, "project": project}
    rows = await ask(warehouse, "look up what is forgotten", _ERASURE, asked)
    if not rows:
        return None
    [row] = rows
    status: Status = "done" if row["done"] else "failed" if row["failed"] else "running"
    return Erasure(
        id=erasure_id,
        project=project,
        status=status,
        kind=row["kind"],
        traces=row["traces"],
        spans=row["spans"],
        begun=row["begun"],
        ended=None if status == "running" else row["last"],
    )
