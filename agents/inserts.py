"""Writes rows to ClickHouse, and notices when that is another database than before."""

from __future__ import annotations

import time
from typing import Any

import pyarrow as pa

from spanloom.agents import metrics
from spanloom.agents.retry import Retry
from spanloom.agents.stages.keyed import KeyedStage
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.write import insert

INTERVAL = 5.0
"""Seconds between two comparisons while ClickHouse answers: it may be replaced with no request failing."""


class OtherDatabase(Exception):
    """ClickHouse is another one than before it was out of reach, or an older copy: a worker that starts compares it
    with its state, and writes what is missing."""

    def __str__(self) -> str:
        return (
            "ClickHouse lacks rows that this worker has written: it is another database or an older copy; the worker"
            " must start again"
        )


class Inserts:
    """Inserts rows, and waits for ClickHouse while it is out of reach.

    Before the first insert after that, and from time to time, the stages that keep a state are asked whether their rows
    are there: an older copy lacks the last of them.

    Args:
        warehouse: ClickHouse.
        retry: calls it until it answers.
    """

    def __init__(self, warehouse: Warehouse, retry: Retry) -> None:
        self._warehouse = warehouse
        self._retry = retry
        self.stages: list[KeyedStage[Any, Any, Any, Any]] = []
        """Those that are asked."""
        self._failures = 0  # after which it was found to be the same
        self._compared = time.monotonic()

    async def __call__(self, table: str, rows: pa.Table) -> None:
        """Insert rows into a table.

        Raises:
            OtherDatabase: rows that were written are not there any more; nothing was inserted.
        """
        await self._retry(lambda: self._attempt(table, rows))
        metrics.ROWS.labels(table).inc(rows.num_rows)

    async def _attempt(self, table: str, rows: pa.Table) -> None:
        if self._failures != self._retry.failures or time.monotonic() - self._compared > INTERVAL:
            await self._compare()
        await insert(self._warehouse, table, rows)
        for stage in self.stages:
            if stage.target.table == table:
                stage.are_stored()

    async def _compare(self) -> None:
        """Ask all stages, again where ClickHouse was out of reach meanwhile."""
        while True:
            failures = self._retry.failures
            for stage in self.stages:
                if not await stage.finds_its_rows():
                    raise OtherDatabase
            if self._retry.failures == failures:
                self._failures, self._compared = failures, time.monotonic()
                return
