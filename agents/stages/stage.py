"""A stage: takes batches from its topic, works on them, and ends each with a checkpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from spanloom.agents import metrics
from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.buffer import batches
from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.checkpoint import Acknowledge, PartitionsLost, Records, Rows, Writes, checkpoint

logger = logging.getLogger("spanloom.worker")

Work = Callable[[list[SourceRecord]], Awaitable[Writes]]
"""What a stage does with a batch: returns what has to be written. It may read, but writes nothing itself."""

Settle = Callable[[], Awaitable[Writes | None]]
"""Returns what must be written before the next batch, such as what earlier ones put off; None if nothing must."""

_SETTLING = 0.5
"""Seconds between two looks for what is due."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where a checkpoint writes to."""

    rows: Rows
    records: Records
    acknowledge: Acknowledge


class Stage:
    """Runs the work of one agent batch by batch.

    Args:
        name: the agent's name, for metrics.
        work: what the stage does with a batch.
        batches: runs its batches, or drops them.
        take: returns the records of Faust's events, in order, each once.
        outlets: where its checkpoint writes to.
        still_ours: whether the group is still that in which the worker has taken its partitions over.
        fail: ends the process; called with whatever a batch raised.
        settle: what the stage does before and between batches; None where it puts nothing off.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        batches: Batches,
        take: Callable[[Iterable[Any]], list[SourceRecord]],
        outlets: Outlets,
        still_ours: Callable[[], bool],
        fail: Callable[[BaseException], None],
        settle: Settle | None = None,
    ) -> None:
        self.name = name
        self._work = work
        self._batches = batches
        self._take = take
        self._outlets = outlets
        self._still_ours = still_ours
        self._fail = fail
        self._settle = settle
        self._one_at_a_time = asyncio.Lock()

    async def run(self, channel: Any, size: int, linger: float) -> None:
        """Take batches from the channel of a Faust agent until its stream is stopped.

        Args:
            channel: that of the agent's stream.
            size: the bytes that end a batch.
            linger: how long a batch waits for more messages, seconds.
        """
        settling = None if self._settle is None else asyncio.create_task(self._go_on_settling())
        try:
            async for events in batches(channel, size, linger):
                await self.take(events)
        finally:
            if settling is not None:
                settling.cancel()

    async def take(self, events: Iterable[Any]) -> None:
        """Work on a batch of Faust's events, unless none may run; whatever is raised ends the process."""
        await self._run(self.batch(events))

    async def batch(self, events: Iterable[Any]) -> None:
        """Work on a batch of Faust's events."""
        async with self._one_at_a_time:
            await self._settle_first()
            if records := self._take(events):
                await self._work_on(records)

    async def settle(self) -> None:
        """Write what was put off and is due by now."""
        async with self._one_at_a_time:
            await self._settle_first()

    async def _settle_first(self) -> None:
        if self._settle is not None and (writes := await self._settle()) is not None:
            await self._checkpoint(writes)

    async def _go_on_settling(self) -> None:
        while True:
            await asyncio.sleep(_SETTLING)
            await self._run(self.settle())

    async def _run(self, batch: Coroutine[Any, Any, None]) -> None:
        try:
            await self._batches.run(batch)
        except asyncio.CancelledError:
            raise
        except PartitionsLost:
            logger.info("%s: a batch was dropped, its partitions were given away", self.name)
        except BaseException as error:
            self._fail(error)
            raise

    async def _work_on(self, records: list[SourceRecord]) -> None:
        started = time.monotonic()
        writes = await self._work(records)
        for record in records:
            writes.offsets[record.topic, record.partition] = record.offset + 1
        worked = time.monotonic()
        await self._checkpoint(writes)
        metrics.BATCHES.labels(self.name).inc()
        metrics.RECORDS.labels(self.name).inc(len(records))
        metrics.WORK_SECONDS.labels(self.name).observe(worked - started)
        metrics.CHECKPOINT_SECONDS.labels(self.name).observe(time.monotonic() - worked)
        metrics.CHECKPOINT_TIME.labels(self.name).set_to_current_time()

    async def _checkpoint(self, writes: Writes) -> None:
        await checkpoint(
            writes,
            rows=self._outlets.rows,
            records=self._outlets.records,
            acknowledge=self._outlets.acknowledge,
            still_ours=self._still_ours,
        )
