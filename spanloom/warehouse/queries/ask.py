"""A query on behalf of a person: read-only, with limits, and a sentence where it is too big.

`readonly = 2` and the limits go along as settings of the query, so it changes nothing whichever user runs it, and one
whose profile has `readonly = 2` is enough. With `readonly = 1` ClickHouse refuses settings; they are left out then, and
the profile's own limits hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanloom.warehouse.client import WAIT_FOR_THE_END, Warehouse
from spanloom.warehouse.errors import WarehouseError


class TooBig(WarehouseError):
    """The query would read or return too much; one sentence that says what to change.

    Attributes:
        problem: the sentence without its advice.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}: choose a shorter range of time or a narrower filter")
        self.problem = problem


@dataclass(frozen=True)
class QueryLimits:
    """How much one query may take, read and return."""

    seconds: float = 10.0
    rows_read: int = 1_000_000_000
    memory_bytes: int = 4_000_000_000
    rows_answered: int = 100_000
    bytes_answered: int = 256_000_000

    def settings(self) -> dict[str, str]:
        """As settings of ClickHouse."""
        return {
            "max_execution_time": f"{self.seconds:g}",
            "timeout_overflow_mode": "throw",
            "max_rows_to_read": str(self.rows_read),
            "read_overflow_mode": "throw",
            "max_memory_usage": str(self.memory_bytes),
            "max_result_rows": str(self.rows_answered),
            "max_result_bytes": str(self.bytes_answered),
            "result_overflow_mode": "throw",
        }


LIMITS = QueryLimits()

_TOO_BIG = {
    159: "took longer than {limits.seconds:g} s",
    160: "would take longer than {limits.seconds:g} s",
    158: "would read more than {limits.rows_read:,} rows",
    307: "would read too many bytes",
    396: "has too big an answer",
    241: "needs more memory than a question may have",
}

# ClickHouse remembers which parts of a table have no row for a condition. Where a query filters what `LIMIT BY` has
# left, it remembers the parts of *that* filter for the condition of PREWHERE, and whoever asks with this PREWHERE again
# gets nothing (seen in 26.9).
_OF_EVERY_QUESTION = {"readonly": "2", "use_query_condition_cache": "0"}


async def ask(
    warehouse: Warehouse,
    what: str,
    sql: str,
    parameters: Mapping[str, object],
    limits: QueryLimits = LIMITS,
) -> list[dict[str, Any]]:
    """Return the rows: one dictionary each; times are aware datetimes, cut to microseconds.

    Args:
        what: what the query does, for errors: the end of "ClickHouse could not …".
        parameters: values of `{name:Type}` in the SQL.

    Raises:
        TooBig: a limit was reached.
        Unavailable: ClickHouse is away.
        WarehouseError: ClickHouse refused the query.
    """

    def work(client: Client) -> list[dict[str, Any]]:
        settings = {
            name: value
            for name, value in (_OF_EVERY_QUESTION | limits.settings()).items()
            if _may_set(client, name)
        }
        try:
            result = client.query(
                sql, dict(parameters), settings=settings | WAIT_FOR_THE_END, tz_mode="aware"
            )
        except ClickHouseError as error:
            reason = _TOO_BIG.get(getattr(error, "code", None) or 0)
            if reason is None:
                raise
            raise TooBig(f"To {what} {reason.format(limits=limits)}") from None
        return list(result.named_results())

    return await warehouse.run(what, work)


def _may_set(client: Client, name: str) -> bool:
    known = client.server_settings.get(name)
    return known is not None and not known.readonly
