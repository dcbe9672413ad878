"""The log itself: what stands at an offset, where reading begins, all that a topic holds.

Most of it is read by short-lived consumers of our own that belong to no group. Faust's bookkeeping is never used: it
notes offsets as committed even when the commit failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, TopicPartition
from faust.types import TP

from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.records import Partition
from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topic_ids import ExistingTopic, existing_topics

logger = logging.getLogger("spanloom.worker")

_DEADLINE = 60.0  # seconds to read one record that is known to be there
_POLL = 1000  # milliseconds until a read without a record looks again where it stands

Take = Callable[[Partition, Sequence[Any]], None]
"""Takes the next records of a partition."""


class Log:
    """The log that the worker reads.

    Args:
        settings: where Kafka is.
        consumer: returns the worker's consumer.
    """

    def __init__(self, settings: KafkaSettings, consumer: Callable[[], Any]) -> None:
        self._settings = settings
        self._consumer = consumer

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset behind the last record of each partition; the local broker gives a lower one."""
        found = await self._consumer().highwaters(*(TP(*partition) for partition in partitions))
        return {(tp.topic, tp.partition): end for tp, end in found.items() if end is not None}

    async def seek(self, partition: Partition, offset: int) -> None:
        """Make the worker's consumer go on at `offset`."""
        await self._consumer().seek_wait({TP(*partition): offset})

    async def rejoin(self) -> None:
        """Make the group share out its partitions anew, and so begin anew wherever a topic is another one."""
        await self._consumer().rejoin()

    async def topics(self, names: Collection[str]) -> dict[str, ExistingTopic]:
        """Return those of these topics that are there, as they are now.

        Raises:
            KafkaError: Kafka can't be reached.
        """
        client = AIOKafkaClient(**connection(self._settings))
        try:
            await client.bootstrap()
            return await existing_topics(client, names)
        finally:
            await client.close()

    async def first_offsets(
        self, committed: Mapping[Partition, Committed | None], ids: Mapping[str, TopicIds]
    ) -> dict[Partition, int]:
        """Return where reading begins in each partition: at the committed offset, else at the earliest.

        What was committed for a topic of that name that is gone is no offset of this one, however long it is by now.

        Args:
            ids: of the topics, as they are now.
        """
        if not committed:
            return {}
        async with self._reader(committed) as consumer:
            consumer.pause(*consumer.assignment())
            earliest = await consumer.beginning_offsets(consumer.assignment())
            ends = await consumer.end_offsets(consumer.assignment())
        first: dict[Partition, int] = {}
        for partition, found in committed.items():
            tp = TopicPartition(*partition)
            position = max(found.offset if found else 0, earliest[tp])
            if found and (
                found.is_of_another_topic(ids[partition[0]])
                # Where no IDs tell, the length of the log may.
                or (position > ends[tp] and not await self.holds(partition, position))
            ):
                logger.warning("%s %s: the topic was created anew; reading it from its beginning", *partition)
                position = earliest[tp]
            elif found:
                _say_what_is_gone(partition, found.offset, position)
            first[partition] = position
        return first

    async def holds(self, partition: Partition, offset: int) -> bool:
        """Whether the log reaches up to `offset`: whether there is, or was, a record before it.

        Raises:
            TimeoutError: the end of the log can't be read.
        """
        tp = TopicPartition(*partition)
        async with self._reader([partition]) as consumer, asyncio.timeout(_DEADLINE):
            end: int = (await consumer.end_offsets([tp]))[tp]
            if 0 < end < offset:
                # The local broker gives an end that is too early, so the log itself has the last word.
                consumer.seek(tp, end - 1)
                await _read_up_to({tp: end}, consumer, lambda *_: None)
                end = await consumer.position(tp)
            return offset <= end

    async def next_offset(self, partition: Partition, offset: int) -> int:
        """Return the offset of the first record at or behind `offset`; there must be one.

        Raises:
            TimeoutError: there is none.
        """
        async with self._reader([partition]) as consumer:
            tp = TopicPartition(*partition)
            consumer.seek(tp, offset)
            record = await asyncio.wait_for(consumer.getone(), _DEADLINE)
            if record.offset > offset:
                _say_what_is_gone(partition, offset, (await consumer.beginning_offsets([tp]))[tp])
            return int(record.offset)

    async def read(self, partitions: Collection[Partition], take: Take) -> dict[Partition, int]:
        """Read all that these partitions hold now, each from its beginning to its end; returns the ends."""
        if not partitions:
            return {}
        async with self._reader(partitions) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            await _read_up_to(ends, consumer, take)
            return {
                (tp.topic, tp.partition): max(end, await consumer.position(tp)) for tp, end in ends.items()
            }

    async def keys(self, partition: Partition) -> list[bytes]:
        """Return the keys that a partition holds now, tombstones' too."""
        keys: dict[bytes, None] = {}
        await self.read(
            [partition], lambda _, records: keys.update({each.key: None for each in records if each.key})
        )
        return list(keys)

    @contextlib.asynccontextmanager
    async def _reader(self, partitions: Collection[Partition]) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            consumer.assign([TopicPartition(*partition) for partition in partitions])
            yield consumer
        finally:
            await consumer.stop()


def _say_what_is_gone(partition: Partition, due: int, begins: int) -> None:
    """Log what Kafka has deleted before it was read: the log begins behind the offset that was due."""
    if begins > due:
        logger.error(
            "%s %s: Kafka has deleted %s records before they were read (retention.ms, retention.bytes): they are lost",
            *partition,
            begins - due,
        )


async def _read_up_to(ends: Mapping[TopicPartition, int], consumer: AIOKafkaConsumer, take: Take) -> None:
    """Read on until each partition has come to its end.

    A fetch brings whole batches: so what the local broker leaves out of an end, all but the first record of the last
    batch, is read too.
    """
    while unread := [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
        for tp, records in (await consumer.getmany(*unread, timeout_ms=_POLL)).items():
            take((tp.topic, tp.partition), records)
            await asyncio.sleep(0)  # probes are answered meanwhile
