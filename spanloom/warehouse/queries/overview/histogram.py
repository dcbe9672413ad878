"""How many sessions or traces of a list started when, what they cost, and how many of their spans failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import Bucket, Histogram
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, Filter, in_scope
from spanloom.warehouse.queries.sessions.keys import NUMBERS, session_keys
from spanloom.warehouse.queries.traces.list import traces_from

Kind = Literal["sessions", "traces"]

MOST_BUCKETS = 60
"""Buckets in a range at most; one more where it does not begin at a bucket's beginning."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WIDTHS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)

_EARLIEST = {
    "sessions": "SELECT min(start_time) AS start FROM session_windows_versions WHERE {scope}",
    "traces": "SELECT min(start_time) AS start FROM traces_by_time_versions WHERE {scope}",
}

_WHAT = "count {kind} over time"


def bucket_seconds(seconds: float) -> int:
    """The shortest of the usual lengths of which at most `MOST_BUCKETS` fit into a range of `seconds`."""
    for width in _WIDTHS:
        if seconds <= width * MOST_BUCKETS:
            return width
    return int(seconds // (MOST_BUCKETS * _DAY) + 1) * _DAY


async def histogram(warehouse: Warehouse, kind: Kind, wanted: Filter, now: datetime) -> Histogram:
    """Count what a filter matches over its range.

    Args:
        now: the range's end where it has none, unless something started later. Without a beginning it
            begins with the first that started.
    """
    what = _WHAT.format(kind=kind)
    since = wanted.since
    if since is None:
        scope = Conditions()
        in_scope(scope, wanted.project, wanted.visible)
        [row] = await ask(warehouse, what, _EARLIEST[kind].format(scope=scope.sql()), scope.parameters)
        since = row["start"].astimezone(UTC)
    until = max(wanted.until or now, since)
    width = bucket_seconds((until - since).total_seconds())
    rows = await _counts(warehouse, what, kind, wanted, since, width)
    if not rows:
        return Histogram(bucket_seconds=width, buckets=[])
    first, last = (int(time.timestamp() // width) for time in (since, until))
    # Without an end, what starts after now (another machine's clock) still counts, in the last bucket.
    counted: dict[int, tuple[int, int, int]] = {}
    for row in rows:
        number = min(max(row["bucket"], first), last)
        before = counted.get(number, (0, 0, 0))
        counted[number] = (before[0] + row["n"], before[1] + row["cost"], before[2] + row["errors"])
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    buckets = []
    for number in range(first, last + 1):
        count, cost, errors = counted.get(number, (0, 0, 0))
        start = epoch + timedelta(seconds=number * width)
        buckets.append(Bucket(start=start, count=count, cost=cost / 1e12, errors=errors))
    return Histogram(bucket_seconds=width, buckets=buckets)


async def _counts(
    warehouse: Warehouse, what: str, kind: Kind, wanted: Filter, since: datetime, width: int
) -> list[dict[str, int]]:
    if kind == "sessions":
        keys = await session_keys(warehouse, wanted)
        parameters = keys.having.parameters
        each = keys.sql(
            "toUnixTimestamp64Second(min(w.start_time)) AS second, "
            f"{NUMBERS['total_cost']} AS cost, {NUMBERS['failure_count']} AS errors"
        )
    else:
        source, conditions = traces_from(wanted)
        parameters = conditions.parameters
        each = (
            "SELECT toUnixTimestamp64Second(t.start_time) AS second, "
            "toInt128(round(t.total_cost * 1e12)) AS cost, t.failure_count AS errors "
            f"{source} WHERE {conditions.sql()}"
        )
    sql = f"""
SELECT
    intDiv(greatest(second, {{first_second:Int64}}), {{width:Int64}}) AS bucket,
    count() AS n,
    sum(cost) AS cost,
    sum(errors) AS errors
FROM ({each})
GROUP BY bucket
"""
    return await ask(
        warehouse, what, sql, parameters | {"first_second": int(since.timestamp() // 1), "width": width}
    )
