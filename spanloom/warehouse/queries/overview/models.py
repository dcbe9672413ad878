"""What was used of each model, and for which calls no price is known."""

from __future__ import annotations

from datetime import datetime

from spanloom.spans.table import OUTPUT_IS_MESSAGE
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import ModelUsage
from spanloom.warehouse.queries.ask import QueryLimits, ask
from spanloom.warehouse.queries.filters import SINCE, Conditions, in_scope, nanoseconds

_LIMITS = QueryLimits(seconds=30)
"""It reads every span of the range, where lists read traces or windows."""

# A call that tells no usage must not look free, unless it failed before it answered anything, as in the trace fold.
#
# Usage counts once, as in the trace fold: a call that bears usage counts if nothing below it does, so all that stands
# above one is left out. Below a span lies what started later, so that nothing before the range is needed; where clocks
# of several services differ, a wrapper at the edge of the range may count. A circle of parents ends where it comes back
# to its mark, which moves on at depths that are powers of two (Brent's algorithm); more levels than the limits allow
# are an error.
_MODELS = """
WITH RECURSIVE
    some AS (
        SELECT
            project_id,
            trace_id,
            span_id,
            parent_span_id,
            provider,
            model,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            unsplit_tokens,
            input_cost,
            output_cost,
            total_cost,
            priced,
            (input_tokens + output_tokens = 0) AND (unsplit_tokens = 0)
                AND ((status != 'error') OR (bitAnd(marks, {answered}) != 0)) AS tells_nothing,
            (span_type IN ('LLM', 'EMBEDDING'))
                OR (input_tokens > 0) OR (output_tokens > 0)
                OR (cache_read_tokens > 0) OR (cache_write_tokens > 0) OR (reasoning_tokens > 0)
                OR (unsplit_tokens > 0)
                OR (input_cost > 0) OR (output_cost > 0) OR (total_cost > 0) AS bears_usage
        FROM spans_versions FINAL
        WHERE {scope}
    ),
    above AS (
        SELECT DISTINCT
            project_id,
            trace_id,
            parent_span_id AS wrapper_id,
            toUInt32(1) AS depth,
            parent_span_id AS mark
        FROM some
        WHERE bears_usage AND (parent_span_id != '') AND (parent_span_id != span_id)
        UNION ALL
        SELECT DISTINCT
            some.project_id,
            some.trace_id,
            some.parent_span_id,
            toUInt32(above.depth + 1),
            if(bitAnd(above.depth + 1, above.depth) = 0, some.parent_span_id, above.mark)
        FROM some
        INNER JOIN above
            ON (some.project_id = above.project_id)
            AND (some.trace_id = above.trace_id)
            AND (some.span_id = above.wrapper_id)
        WHERE (some.parent_span_id != '') AND (some.parent_span_id != some.span_id)
            AND (some.parent_span_id != above.mark)
    )
SELECT
    provider,
    model,
    count() AS call_count,
    countIf((priced = 0) AND ((some.input_tokens + some.output_tokens > 0) OR (unsplit_tokens > 0) OR tells_nothing))
        AS unpriced_call_count,
    countIf((priced = 0) AND (some.input_tokens + some.output_tokens = 0) AND (unsplit_tokens > 0))
        AS only_total_call_count,
    countIf((priced = 0) AND tells_nothing) AS untold_call_count,
    sum(some.input_tokens) AS input_tokens,
    sum(some.output_tokens) AS output_tokens,
    sum(some.cache_read_tokens) AS cache_read_tokens,
    sum(some.cache_write_tokens) AS cache_write_tokens,
    sum(some.reasoning_tokens) AS reasoning_tokens,
    input_tokens + output_tokens + sum(unsplit_tokens) AS total_tokens,
    toFloat64(sum(toInt128(round(some.input_cost * 1e12)))) / 1e12 AS input_cost,
    toFloat64(sum(toInt128(round(some.output_cost * 1e12)))) / 1e12 AS output_cost,
    toFloat64(sum(toInt128(round(some.total_cost * 1e12)))) / 1e12 AS total_cost
FROM some
WHERE bears_usage AND (project_id, trace_id, span_id) NOT IN (
    SELECT
        project_id,
        trace_id,
        wrapper_id
    FROM above
)
GROUP BY
    provider,
    model
HAVING
    ((model != '') OR (total_tokens > 0) OR (total_cost > 0) OR (untold_call_count > 0))
    AND ((unpriced_call_count > 0) OR NOT {unpriced:Bool})
ORDER BY
    unpriced_call_count > 0 DESC,
    total_tokens DESC,
    provider,
    model
LIMIT {limit:UInt64}
""".replace("{answered}", str(OUTPUT_IS_MESSAGE))


async def models(
    warehouse: Warehouse,
    project: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
    *,
    unpriced: bool = False,
) -> list[ModelUsage]:
    """Return what was used of each model by calls that started since `since`; the unpriced first, then by tokens.

    A call counts as in `traces`: not if something below it bears usage. Calls that name no model are one row.

    Args:
        project: only this project's calls.
        since: an aware time; all calls without it.
        limit: how many at most.
        unpriced: only models with calls whose price is not known.

    Raises what `ask` raises.
    """
    scope = Conditions({"limit": limit, "unpriced": "true" if unpriced else "false"})
    in_scope(scope, project, None)
    if since is not None:
        scope.add(f"start_time >= {SINCE}", since=nanoseconds(since))
    rows = await ask(
        warehouse, "sum up models", _MODELS.replace("{scope}", scope.sql()), scope.parameters, _LIMITS
    )
    return [ModelUsage(**row) for row in rows]
