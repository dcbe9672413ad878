"""What failed in some traces, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Failure
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import FAILED

FAILURES_A_TRACE = 3
MESSAGE_CHARACTERS = 500

# Where an error began, as in `failure_count`: at the spans that failed and have none below them that did.
_FAILURES = f"""
WITH failed AS
    (
        SELECT
            trace_id,
            span_id,
            parent_span_id,
            name,
            start_time,
            arrayFirst(event -> (event.1 = 'exception'), events).3 AS exception,
            multiIf(
                status_message != '', status_message,
                exception['exception.message'] != '', exception['exception.message'],
                exception['exception.type']
            ) AS reason
        FROM spans_versions FINAL
        PREWHERE (project_id = {{project:String}}) AND (trace_id IN {{traces:Array(String)}})
        WHERE {FAILED}
    )
SELECT
    trace_id,
    span_id,
    name,
    substringUTF8(reason, 1, {{characters:UInt64}}) AS message
FROM failed
WHERE (trace_id, span_id) NOT IN
(
    SELECT
        trace_id,
        parent_span_id
    FROM failed
)
ORDER BY
    trace_id,
    start_time,
    span_id
LIMIT {{failures:UInt64}} BY trace_id
"""


async def failures_of(warehouse: Warehouse, project: str, traces: Sequence[str]) -> dict[str, list[Failure]]:
    """Return the first failures of each of these traces that has one, by trace ID.

    Args:
        project: one visible to the caller.
    """
    found: dict[str, list[Failure]] = defaultdict(list)
    if traces:
        parameters = {
            "project": project,
            "traces": list(traces),
            "characters": MESSAGE_CHARACTERS,
            "failures": FAILURES_A_TRACE,
        }
        for row in await ask(warehouse, "read what failed", _FAILURES, parameters):
            found[row.pop("trace_id")].append(Failure(**row))
    return found
