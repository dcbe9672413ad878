"""What was used of each model, and for which calls no price is known."""

from __future__ import annotations

from datetime import datetime

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import ModelUsage
from spanloom.warehouse.queries.ask import QueryLimits, ask
from spanloom.warehouse.queries.filters import SINCE, Conditions, in_scope, nanoseconds

_LIMITS = QueryLimits(seconds=30)
"""It reads every span of the range, where lists read traces or windows."""

_MODELS = """
SELECT
    provider,
    model,
    countIf(counts) AS call_count,
    countIf(unpriced) AS unpriced_call_count,
    countIf(unpriced AND (some.input_tokens + some.output_tokens = 0) AND (some.unsplit_tokens > 0))
        AS only_total_call_count,
    countIf(unpriced AND (some.input_tokens + some.output_tokens + some.unsplit_tokens = 0)) AS untold_call_count,
    sumIf(some.input_tokens, counts) AS input_tokens,
    sumIf(some.output_tokens, counts) AS output_tokens,
    sumIf(some.cache_read_tokens, counts) AS cache_read_tokens,
    sumIf(some.cache_write_tokens, counts) AS cache_write_tokens,
    sumIf(some.reasoning_tokens, counts) AS reasoning_tokens,
    sumIf(some.unsplit_tokens, counts) AS unsplit_tokens,
    input_tokens + output_tokens + unsplit_tokens AS total_tokens,
    toFloat64(sumIf(toInt128(round(some.input_cost * 1e12)), cost_counts)) / 1e12 AS input_cost,
    toFloat64(sumIf(toInt128(round(some.output_cost * 1e12)), cost_counts)) / 1e12 AS output_cost,
    toFloat64(sumIf(toInt128(round(some.total_cost * 1e12)), cost_counts)) / 1e12 AS total_cost
FROM spans AS some
WHERE {scope} AND (counts OR cost_counts OR unpriced)
GROUP BY
    provider,
    model
HAVING ((model != '') OR (total_tokens > 0) OR (total_cost > 0) OR (unpriced_call_count > 0))
    AND ((unpriced_call_count > 0) OR NOT {unpriced:Bool})
ORDER BY
    unpriced_call_count > 0 DESC,
    total_tokens DESC,
    provider,
    model
LIMIT {limit:UInt64}
"""


async def models(
    warehouse: Warehouse,
    project: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
    *,
    unpriced: bool = False,
) -> list[ModelUsage]:
    """Return what was used of each model by calls that started since `since`; the unpriced first, then by tokens.

    What counts is what counts in `traces`. Calls that name no model are one row.

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
