"""What happens when partitions are assigned and revoked. Rebalances are eager: every time, all of them.

The state of those that come back at once is kept. It is what their changelogs say, if every batch has ended with its
checkpoint, and if nobody else can have held them: in the group's next generation, which Kafka counts, they are this
worker's again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """The states that were held in a generation of the group, by changelog and partition."""

    generation: int
    states: Mapping[str, Mapping[int, Any]]


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
        self._holds: int | None = None  # the generation whose partitions have been taken over
        self._kept: _Kept | None = None
        self.records_restored = 0
        """How many records of changelogs have been read, ever."""

    async def take_over(self, consumer: Consumer, generation: int) -> bool:
        """Bring back the state of all assigned partitions, then let reading and batches begin.

        While Kafka is away it tries again for as long as it takes.

        Args:
            consumer: has been assigned the partitions.
            generation: of the group, in which it was.

        Returns:
            Whether it got that far; the partitions may be revoked meanwhile.
        """
        # The flow of the first assignment runs, and Faust would deliver records before it has sought to where reading
        # begins. It resumes the flow itself once it has.
        consumer.stop_flow()
        await self.give_back("taking partitions over")
        kept, self._kept = self._kept, None
        if kept is None or kept.generation + 1 != generation:
            kept = _Kept(generation, {})
        self._restoring = asyncio.create_task(self._restore(consumer, generation, kept))
        try:
            await asyncio.wait({self._restoring})
        finally:
            self._restoring.cancel()
        if self._restoring.cancelled():
            return False
        self._restoring.result()
        return True

    async def give_back(self, why: str) -> None:
        """End running batches with their checkpoint, within the deadline, and let go of all partitions."""
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
        if self._holds is not None:
            held = {changelog.topic: changelog.states() for changelog in self._changelogs.values()}
            self._kept = _Kept(self._holds, held) if self._batches.whole else None
            self._holds = None
        for changelog in self._changelogs.values():
            changelog.begin(())

    async def _restore(self, consumer: Consumer, generation: int, kept: _Kept) -> None:
        async def read() -> dict[Partition, int]:
            await self._read_changelogs(consumer, kept)
            return await self._log.first_offsets(await consumer.committed())

        first = await retry(
            read,
            (KafkaError, OSError),
            warn_once(logger, lambda error: f"Kafka can't be read ({type(error).__name__}), trying again"),
            longest=_RETRY,
        )
        self._offsets.start(first)
        self._batches.accept()
        self._holds = generation

    async def _read_changelogs(self, consumer: Consumer, kept: _Kept) -> None:
        restored = self.records_restored
        by_topic: dict[str, Changelog[Any]] = {}
        anew: dict[str, list[int]] = {}
        held = 0
        for source, changelog in self._changelogs.items():
            numbers = [partition for topic, partition in consumer.assignment() if topic == source]
            anew[changelog.topic] = changelog.begin(numbers, kept.states.get(changelog.topic))
            by_topic[changelog.topic] = changelog
            held += len(numbers)
        wanted = [(topic, number) for topic, numbers in anew.items() for number in numbers]

        def take(partition: Partition, records: Sequence[Any]) -> None:
            topic, number = partition
            for record in records:
                by_topic[topic][number].restore(record.key or b"", record.value)
            self.records_restored += len(records)

        logger.info(
            "Restoring state from changelogs: %s partitions, %s kept", len(wanted), held - len(wanted)
        )
        await self._log.read(wanted, take)
        for topic, numbers in anew.items():
            by_topic[topic].complete(numbers)
        logger.info("Restored state from %s records", self.records_restored - restored)
