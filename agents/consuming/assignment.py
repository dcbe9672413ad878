"""What happens when partitions are assigned and revoked. Rebalances are eager: every time, all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka.errors import UnknownTopicOrPartitionError

from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import BEGINS_ANEW, Changelog
from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.consuming.records import Partition
from spanloom.agents.retry import Retry
from spanloom.kafka.producer import Record
from spanloom.kafka.topic_ids import ExistingTopic, differ

logger = logging.getLogger("spanloom.worker")


class Consumer(Protocol):
    """The worker's consumer."""

    def assignment(self) -> set[Any]:
        """Return the partitions that the group has given to the worker."""

    def stop_flow(self) -> None:
        """Deliver nothing until Faust resumes the flow."""

    async def committed(self) -> Mapping[Partition, Committed | None]:
        """Return what is committed for every assigned partition, None where nothing is."""

    async def acknowledge(self, offsets: Mapping[Partition, int], ids: Mapping[str, TopicIds]) -> None:
        """Commit offsets, with the IDs of their topics."""


class Assignment:
    """Takes partitions over and gives them back.

    Args:
        log: holds the changelogs and the records to be read.
        topics: those that the stages read.
        changelogs: those of the stages that have one, by the topic that the stage reads.
        offsets: starts where reading begins.
        batches: run from then on.
        produce: appends records to a topic.
        retry: asks Kafka as often as it takes.
        deadline: seconds that running batches have when partitions are given back.
    """

    def __init__(
        self,
        log: Log,
        topics: Sequence[str],
        changelogs: Mapping[str, Changelog[Any]],
        offsets: OffsetTracking,
        batches: Batches,
        *,
        produce: Callable[[str, Sequence[Record]], Awaitable[None]],
        retry: Retry,
        deadline: float,
    ) -> None:
        self._log = log
        self._topics = topics
        self._changelogs = changelogs
        self._offsets = offsets
        self._batches = batches
        self._produce = produce
        self._retry = retry
        self._deadline = deadline
        self.found: Mapping[str, ExistingTopic] = {}
        """The topics that are read, and the changelogs, as they were when partitions were last taken over."""
        self._read_last: Mapping[str, ExistingTopic] = {}
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

    def ids(self) -> Mapping[str, TopicIds]:
        """Return the IDs that each topic and its changelog had when reading began; of those of which it has."""
        return self._ids_in(self.found)

    def _names(self, topic: str) -> set[str]:
        """The topic itself, and the changelog of its stage."""
        return {topic, self._changelogs[topic].topic} if topic in self._changelogs else {topic}

    def _ids_in(self, found: Mapping[str, ExistingTopic]) -> dict[str, TopicIds]:
        ids = {}
        for topic in self._topics:
            if self._names(topic) <= found.keys():
                changelog = self._changelogs.get(topic)
                ids[topic] = TopicIds(found[topic].id, found[changelog.topic].id if changelog else "")
        return ids

    async def _restore(self, consumer: Consumer) -> None:
        async def read() -> dict[Partition, int]:
            # The IDs come first: what is read after that is of these topics or of newer ones, and an offset is never
            # committed with the ID of a topic that came after it.
            self.found = await self._log.topics(sorted(set().union(*map(self._names, self._topics))))
            committed = await self._committed(consumer)
            needed: set[str] = set().union(*(self._names(topic) for topic, _ in committed))
            if missing := needed - self.found.keys():
                raise UnknownTopicOrPartitionError(", ".join(sorted(missing)))
            await self._read_changelogs(committed)
            first = await self._log.first_offsets(committed, self.ids())
            await self._replace_old_offsets(consumer, committed, first)
            return first

        first = await self._retry(read)
        for name in sorted(self.found.keys() & self._read_last.keys()):
            if differ(self.found[name].id, self._read_last[name].id):
                logger.warning("topic %s was deleted and created anew: beginning anew with it", name)
        self._read_last = {**self._read_last, **self.found}
        self._offsets.start(first)
        self._batches.accept()

    async def _committed(self, consumer: Consumer) -> dict[Partition, Committed | None]:
        """What is committed. Without IDs, it is of the topics that this worker read last."""
        last = self._ids_in(self._read_last)
        return {
            (topic, number): found.or_of(last[topic]) if found and topic in last else found
            for (topic, number), found in (await consumer.committed()).items()
        }

    async def _replace_old_offsets(
        self,
        consumer: Consumer,
        committed: Mapping[Partition, Committed | None],
        first: Mapping[Partition, int],
    ) -> None:
        """Commit where reading begins instead of offsets that are of topics, or go with changelogs, that are gone."""
        ids = self.ids()
        old = {
            partition: first[partition]
            for partition, found in committed.items()
            if found
            and (
                found.is_of_another_topic(ids[partition[0]])
                or found.is_of_another_changelog(ids[partition[0]])
            )
        }
        if old:
            await consumer.acknowledge(old, ids)

    async def _read_changelogs(self, committed: Mapping[Partition, Committed | None]) -> None:
        restored = self.records_restored
        by_topic: dict[str, Changelog[Any]] = {}
        left_over: dict[Partition, dict[bytes, None]] = {}
        wanted: list[Partition] = []
        for source, changelog in self._changelogs.items():
            numbers = [number for topic, number in committed if topic == source]
            changelog.begin(numbers)
            by_topic[changelog.topic] = changelog
            wanted += [(changelog.topic, number) for number in numbers]
            for number in numbers:
                if self._is_a_part_only(source, committed[source, number]):
                    left_over[changelog.topic, number] = {}

        def take(partition: Partition, records: Sequence[Any]) -> None:
            topic, number = partition
            if partition in left_over:
                left_over[partition] |= {record.key: None for record in records if record.key}
                return
            for record in records:
                by_topic[topic].restore(number, record.key or b"", record.value)
            self.records_restored += len(records)

        logger.info("Restoring state from changelogs: %s partitions", len(wanted))
        await self._log.read(wanted, take)
        for (topic, number), keys in left_over.items():
            if keys:
                logger.warning(
                    "%s %s: what it holds may be a part only; the state begins anew", topic, number
                )
                emptied = [Record(number, key, None) for key in keys if key != BEGINS_ANEW]
                await self._produce(topic, [*emptied, Record(number, BEGINS_ANEW, b"anew")])
        for changelog in self._changelogs.values():
            changelog.complete()
        logger.info("Restored state from %s records", self.records_restored - restored)

    def _is_a_part_only(self, topic: str, committed: Committed | None) -> bool:
        """Whether a changelog holds a part of the state without saying so: it was created anew under a worker that had
        not noticed yet. What that worker wrote there would, with the clock it kept, pass for all there is. So it is
        taken out, the state begins anew, and what is needed of the old one is found in ClickHouse.

        The checkpoint commits last: what belongs to this changelog has been committed with its ID, or never.
        """
        ids = self.ids()[topic]
        return bool(ids.changelog) and (committed is None or committed.is_of_another_changelog(ids))
