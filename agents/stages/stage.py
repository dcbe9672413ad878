"""A stage: takes batches from its topic, works on them, and ends each with a checkpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from spanloom.agents import metrics
from spanloom.agents.consuming.continuity import Continuity
from spanloom.agents.consuming.gate import Gate
from spanloom.agents.consuming.records import BATCH_BYTES, Partition, SourceRecord, of_generation, portions
from spanloom.agents.stages.checkpoint import Acknowledge, PartitionsLost, Records, Rows, Writes, checkpoint

logger = logging.getLogger("spanloom.worker")

Work = Callable[[list[SourceRecord]], Awaitable[Writes]]
"""The heart of a stage: what follows from a batch. It may read, but writes nothing itself."""


class TopicCreatedAnew(Exception):
    """Offsets began again from 0 under a running worker."""


class Log(Protocol):
    """The log that a stage reads, beside the stream."""

    async def next_offset(self, partition: Partition, offset: int, /) -> int:
        """Return the offset of the first record at or behind `offset`."""

    async def holds(self, partition: Partition, offset: int, /) -> bool:
        """Whether the log reaches up to `offset`."""

    async def seek(self, partition: Partition, offset: int, /) -> None:
        """Make the stream go on at `offset`."""


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
        work: the heart of the stage.
        gate: decides whether a batch may run.
        continuity: what comes next in each partition.
        log: the log it reads.
        outlets: where its checkpoint writes to.
        generation: returns the generation of the group; records of another one are not ours any more.
        fail: ends the process; called with whatever a batch raised.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        gate: Gate,
        continuity: Continuity,
        log: Log,
        outlets: Outlets,
        generation: Callable[[], int],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self._work = work
        self._gate = gate
        self._continuity = continuity
        self._log = log
        self._outlets = outlets
        self._generation = generation
        self._fail = fail

    async def run(self, stream: Any, max_messages: int, linger: float) -> None:
        """Take batches from a Faust stream until it ends.

        Args:
            stream: the stream of the agent.
            max_messages: how many messages a batch has at the most.
            linger: how long a batch waits for more messages, seconds.
        """
        async for events in stream.noack_take(max_messages, within=linger):
            try:
                await self._gate.run(self.batch(events))
            except asyncio.CancelledError:
                raise
            except PartitionsLost:
                logger.info("%s: a batch was dropped, its partitions were given away", self.name)
            except BaseException as error:
                self._fail(error)
                raise

    async def batch(self, events: Iterable[Any]) -> None:
        """Work on a batch of Faust's events, portion by portion."""
        generation = self._generation()
        records = of_generation(events, generation)
        while True:
            good, gaps, repeated = self._continuity.check(records)
            for partition in repeated:
                await self._check_that_it_is_the_same_log(partition)
            for portion in portions(good, BATCH_BYTES):
                await self._portion(portion, generation)
            if not gaps:
                return
            # What lies behind a gap that is none of the log is left; it comes again behind what is missing.
            believed = [
                partition for partition, seen in gaps.items() if await self._is_of_the_log(partition, seen)
            ]
            records = [record for record in records if (record.topic, record.partition) in believed]

    async def _check_that_it_is_the_same_log(self, partition: Partition) -> None:
        """Records that came already are common; but in a topic that was created anew they are new ones."""
        expected = self._continuity.expected(partition)
        if expected is not None and not await self._log.holds(partition, expected):
            raise TopicCreatedAnew(
                f"topic {partition[0]} was deleted and created anew: the worker must start again"
            )

    async def _is_of_the_log(self, partition: Partition, seen: int) -> bool:
        """Whether nothing stands between what is expected and what was seen; if something does, go back to it."""
        expected = self._continuity.expected(partition)
        if expected is None:
            return False
        following = await self._log.next_offset(partition, expected)
        if following >= seen:
            self._continuity.advance(partition, seen)
            return True
        metrics.GAPS.labels(self.name).inc()
        logger.warning(
            "%s %s: offset %s came where %s was due; reading again from there", *partition, seen, expected
        )
        await self._log.seek(partition, following)
        self._continuity.advance(partition, following)
        return False

    async def _portion(self, records: list[SourceRecord], generation: int) -> None:
        started = time.monotonic()
        writes = await self._work(records)
        for record in records:
            writes.offsets[record.topic, record.partition] = record.offset + 1
        worked = time.monotonic()
        await checkpoint(
            writes,
            rows=self._outlets.rows,
            records=self._outlets.records,
            acknowledge=self._outlets.acknowledge,
            still_ours=lambda: self._generation() == generation,
        )
        for partition, offset in writes.offsets.items():
            self._continuity.advance(partition, offset)
        metrics.BATCHES.labels(self.name).inc()
        metrics.RECORDS.labels(self.name).inc(len(records))
        metrics.WORK_SECONDS.labels(self.name).observe(worked - started)
        metrics.CHECKPOINT_SECONDS.labels(self.name).observe(time.monotonic() - worked)
        metrics.CHECKPOINT_TIME.labels(self.name).set_to_current_time()
