"""What the trace fold knows of the spans of one trace, to explain what they count for."""

from __future__ import annotations

import pyarrow as pa

from spanloom.spans.folding.facts import Fact, facts_of
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.lookup import SPAN_FACTS
from spanloom.warehouse.queries.ask import ask

_TIMES = ("start_time", "end_time")

_WHICH = "PREWHERE (project_id = {project:String}) AND (trace_id = {trace:String})"

_FACTS = f"""
SELECT
    {", ".join(f"toUnixTimestamp64Nano(s.{name}) AS {name}" if name in _TIMES else name for name in SPAN_FACTS.names)}
FROM spans_versions AS s FINAL
{_WHICH} AND ({{span:String}} = '' OR span_id = {{span:String}})
ORDER BY span_id
LIMIT {{limit:UInt64}}
"""


async def stored_facts(
    warehouse: Warehouse, project: str, trace_id: str, span_id: str, most: int
) -> tuple[list[Fact], bool]:
    """Return the facts of a trace's spans, and whether these are all of them.

    Of a trace with more than `most` spans only the facts of `span_id` are returned. Raises what `ask` raises.
    """
    key: dict[str, object] = {"project": project, "trace": trace_id.lower()}
    found = await ask(warehouse, "read a trace's spans", _FACTS, key | {"span": "", "limit": most + 1})
    complete = len(found) <= most
    if not complete:
        found = await ask(warehouse, "read a span", _FACTS, key | {"span": span_id.lower(), "limit": 1})
    for row in found:
        row["metadata"] = list(row["metadata"].items())
    table = pa.Table.from_pylist(found, schema=SPAN_FACTS)
    return [fact for _, facts in facts_of(table) for fact in facts], complete
