"""What happens when partitions are assigned and revoked. Rebalances are eager: every time, all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import Changelog
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.consuming.records import Partition
from spanloom.retry import retry, warn_once

logger = logging.getLogger("spanloom.worker")

_RETRY = 1.0
"""Seconds between two attempts to read while Kafka is out of reach, at most."""


class Consumer(Protocol):
    """The worker's consumer."""

    def assignment(self) -> set[Any]:
        """Return the partitions that the group has given to the worker."""

    def stop_flow(self) -> None:
        """Deliver nothing until Faust resumes the flow."""

    async def committed(self) -> Mapping[Partition, int | None]:
        """Return the committed offset of every assigned partition, None where there is none."""


class Assignment:
    """Takes partitions over and gives them back.

    Args:
        log: holds the changelogs and the records to be read.
        changelogs: those of the stages that have one, by the topic that the stage reads.
        offsets: starts where reading begins.
        batches: run from then on.
        deadline: seconds that running batches have when partitions are given back.
    """

    def __init__(
        self,
        log: Log,
        changelogs: Mapping[str, Changelog[Any]],
        offsets: OffsetTracking,
        batches: Batches,
        deadline: float,
    ) -> None:
        self._log = log
        self._changelogs = changelogs
        self._offsets = offsets
        self._batches = batches
        self._deadline = deadline
        self._restoring: asyncio.Task[None] | None = None
        self.records_restored = 0
        """How many records of changelogs have been read, ever."""

    async def take_over(self, consumer: Consumer) -> bool:
        """Bring back the state of all assigned partitions, then let reading and batches begin.

        While Kafka is away it tries again for as long as it takes.

        Returns:
            Whether it got that far; the partitions may be revoked meanwhile.
        """
        # The flow of the first assignment runs, and Faust would deliver records before it has sought to where reading
        # begins. It resumes the flow itself once it has.
        consumer.stop_flow()
        await self.give_back("taking partitions over")
        self._restoring = asyncio.create_task(self._restore(consumer))
        try:
            await asyncio.wait({self._restoring})
        finally:
            self._restoring.cancel()
        if self._restoring.cancelled():
            return False
        self._restoring.result()
        return True

    async def give_back(self, why: str) -> None:
        """End running batches with their checkpoint, within the deadline, and forget the state of all partitions."""
        if self._restoring is not None:
            self._restoring.cancel()
            await asyncio.wait({self._restoring})
        if not await self._batches.drain(self._deadline):
            logger.warning(
                "%s: a checkpoint took longer than %s s and was dropped; its records will be read again",
                why,
                self._deadline,
            )
        self._offsets.stop()
        for changelog in self._changelogs.values():
            changelog.begin(())

    async def _restore(self, consumer: Consumer) -> None:
        async def read() -> dict[Partition, int]:
            await self._read_changelogs(consumer)
            return await self._log.first_offsets(await consumer.committed())

        first = await retry(
            read,
            (KafkaError, OSError),
            warn_once(logger, lambda error: f"Kafka can't be read ({type(error).__name__}), trying again"),
            longest=_RETRY,
        )
        self._offsets.start(first)
        self._batches.accept()

    async def _read_changelogs(self, consumer: Consumer) -> None:
        restored = self.records_restored
        by_topic: dict[str, Changelog[Any]] = {}
        wanted: list[Partition] = []
        for source, changelog in self._changelogs.items():
            numbers = [partition for topic, partition in consumer.assignment() if topic == source]
            changelog.begin(numbers)
            by_topic[changelog.topic] = changelog
            wanted += [(changelog.topic, number) for number in numbers]

        def take(partition: Partition, records: Sequence[Any]) -> None:
            topic, number = partition
            for record in records:
                by_topic[topic][number].restore(record.key or b"", record.value)
            self.records_restored += len(records)

        logger.info("Restoring state from changelogs: %s partitions", len(wanted))
        await self._log.read(wanted, take)
        for changelog in self._changelogs.values():
            changelog.complete()
        logger.info("Restored state from %s records", self.records_restored - restored)
