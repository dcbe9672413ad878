"""What was said and done in a trace, in order: its calls and tools with their texts, where these are short."""

from __future__ import annotations

from pydantic import Field

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import TreeSpan
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import FAILED
from spanloom.warehouse.queries.traces.tree import TREE_COLUMNS

MOST_STEPS = 100
LONGEST = 20_000
"""Bytes of a text; the span's own panel has longer ones."""


class Step(TreeSpan):
    """A span in which something was said or done."""

    input: str = Field(
        description="Whole, or empty: then it is too long, or the history that an LLM call got."
    )
    output: str = Field(description="Whole, or empty where it is too long.")
    has_more: bool = Field(description="Whether a text was left out because it is too long.")


_STEPS = f"""
SELECT
    {TREE_COLUMNS},
    if((span_type != 'LLM') AND (length(s.input) <= {{longest:UInt64}}), s.input, '') AS input,
    if(length(s.output) <= {{longest:UInt64}}, s.output, '') AS output,
    ((span_type != 'LLM') AND (length(s.input) > {{longest:UInt64}}))
        OR (length(s.output) > {{longest:UInt64}}) AS has_more
FROM spans_versions AS s FINAL
PREWHERE (project_id = {{project:String}}) AND (trace_id = {{trace:String}})
WHERE (span_type NOT IN ('AGENT', 'CHAIN', 'DEFAULT')) OR ({FAILED} AND (span_id NOT IN
(
    SELECT parent_span_id
    FROM spans_versions FINAL
    PREWHERE (project_id = {{project:String}}) AND (trace_id = {{trace:String}})
    WHERE {FAILED}
)))
ORDER BY
    s.start_time,
    s.end_time DESC,
    span_id
LIMIT {{limit:UInt64}}
"""


async def trace_steps(warehouse: Warehouse, trace_id: str, project: str) -> tuple[list[Step], bool]:
    """Return the first steps of a trace, and whether these are all. A step is a call, a tool or the like, or a span
    where an error began; not what only groups others.

    Args:
        project: one visible to the caller.
    """
    parameters = {
        "project": project,
        "trace": trace_id.lower(),
        "longest": LONGEST,
        "limit": MOST_STEPS + 1,
    }
    rows = await ask(warehouse, "read a trace's steps", _STEPS, parameters)
    for row in rows:
        del row["project_id"]
        row["priced"] = bool(row["priced"])
    return [Step.model_construct(**row) for row in rows[:MOST_STEPS]], len(rows) <= MOST_STEPS
