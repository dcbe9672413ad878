"""What happens when partitions are assigned and revoked. Rebalances are eager: every time, all of them.

The state of those that come back at once is kept. It is what their changelogs say, if every batch has ended with its
checkpoint; if nobody else can have held them: in the group's next generation, which Kafka counts, they are this
worker's again; and if neither their topic nor the changelog was created anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from aiokafka.errors import UnknownTopicOrPartitionError

from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.changelog import BEGINS_ANEW, Changelog
from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.consuming.records import Partition
from spanloom.agents.retry import Retry
from spanloom.kafka.producer import Appended, Record
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was held in a generation of the group: by topic that a stage reads, the states by partition, and the IDs of
    the topic and its changelog."""

    generation: int
    ids: Mapping[str, TopicIds]
    states: Mapping[str, Mapping[int, Any]]


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
        self._holds: int | None = None  # the generation whose partitions have been taken over
        self._kept: _Kept | None = None
        self._may_keep = True
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
        kept, self._kept, self._may_keep = self._kept, None, True
        if kept is not None and kept.generation + 1 != generation:
            kept = None
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
            states = {topic: changelog.states() for topic, changelog in self._changelogs.items()}
            keep = self._may_keep and self._batches.whole
            self._kept = _Kept(self._holds, self.ids(), states) if keep else None
            self._holds = None
        for changelog in self._changelogs.values():
            changelog.begin(())

    def keep_nothing(self) -> None:
        """Read all state again after the next rebalance, whatever comes back: what it is of may be another topic."""
        self._may_keep = False

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

    async def _restore(self, consumer: Consumer, generation: int, kept: _Kept | None) -> None:
        async def read() -> dict[Partition, int]:
            # The IDs come first: what is read after that is of these topics or of newer ones, and an offset is never
            # committed with the ID of a topic that came after it.
            self.found = await self._log.topics(sorted(set().union(*map(self._names, self._topics))))
            committed = await self._committed(consumer)
            needed: set[str] = set().union(*(self._names(topic) for topic, _ in committed))
            if missing := needed - self.found.keys():
                raise UnknownTopicOrPartitionError(", ".join(sorted(missing)))
            await self._read_changelogs(committed, kept)
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
        self._holds = generation

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

    async def _read_changelogs(
        self, committed: Mapping[Partition, Committed | None], kept: _Kept | None
    ) -> None:
        restored = self.records_restored
        ids = self.ids()
        by_topic: dict[str, Changelog[Any]] = {}
        anew: dict[str, list[int]] = {}
        left_over: dict[Partition, dict[bytes, None]] = {}
        held = 0
        for source, changelog in self._changelogs.items():
            numbers = [number for topic, number in committed if topic == source]
            states = kept.states[source] if kept and kept.ids.get(source) == ids.get(source) else None
            by_topic[changelog.topic] = changelog
            anew[changelog.topic] = changelog.begin(numbers, states)
            held += len(numbers)
            for number in anew[changelog.topic]:
                if self._is_a_part_only(source, committed[source, number]):
                    left_over[changelog.topic, number] = {}
        wanted = [(topic, number) for topic, numbers in anew.items() for number in numbers]

        def take(partition: Partition, records: Sequence[Any]) -> None:
            topic, number = partition
            self.records_restored += len(records)
            changelog = by_topic[topic]
            if partition in left_over:
                left_over[partition] |= {record.key: None for record in records if record.key}
            for record in records:
                changelog.restore(number, record.key or b"", record.value)

        logger.info(
            "Restoring state from changelogs: %s partitions, %s kept", len(wanted), held - len(wanted)
        )
        for (topic, number), end in (await self._log.read(wanted, take)).items():
            by_topic[topic].read_up_to(number, end)
        for (topic, number), keys in left_over.items():
            if keys:
                logger.warning(
                    "%s %s: what it holds may be a part only; the state begins anew", topic, number
                )
                by_topic[topic].give_up(number)
                await self._empty(by_topic[topic], number, keys)
        for topic, numbers in anew.items():
            for number in numbers:
                by_topic[topic].complete([number])
                await asyncio.sleep(0)  # a tenth of a second each, at most
        logger.info("Restored state from %s records", self.records_restored - restored)

    async def follow(self, topic: str, appended: Sequence[Appended]) -> None:
        """Note what was appended to a topic. Where that is a changelog and another worker has written to it, too, it is
        emptied and the state begins anew: what is needed of it is found in ClickHouse.

        The batch whose checkpoint has found that needs the state no more, and is acknowledged afterwards only.
        """
        for changelog in self._changelogs.values():
            for number in changelog.follow(appended) if changelog.topic == topic else ():
                logger.warning(
                    "%s %s: another worker has written to it; the state begins anew", topic, number
                )
                keys = await self._retry(partial(self._log.keys, (topic, number)))
                await self._empty(changelog, number, keys, changelog.begin_anew(number))

    async def _empty(
        self,
        changelog: Changelog[Any],
        number: int,
        keys: Iterable[bytes],
        stays: Sequence[tuple[bytes, bytes | None]] = (),
    ) -> None:
        """Write what stays, and mark that the state begins anew; then take out what the changelog held."""
        emptied = [(key, None) for key in keys if key != BEGINS_ANEW and not changelog.stays_true(key)]
        records = [*stays, (BEGINS_ANEW, b"anew"), *emptied]
        await self._produce(changelog.topic, [Record(number, key, value) for key, value in records])

    def _is_a_part_only(self, topic: str, committed: Committed | None) -> bool:
        """Whether a changelog holds a part of the state without saying so: it was created anew under a worker that had
        not noticed yet. What that worker wrote there would, with the clock it kept, pass for all there is. So it is
        taken out, the state begins anew, and what is needed of the old one is found in ClickHouse.

        The checkpoint commits last: what belongs to this changelog has been committed with its ID, or never.
        """
        ids = self.ids()[topic]
        return bool(ids.changelog) and (committed is None or committed.is_of_another_changelog(ids))
