"""How far the workers are behind: the lag of their consumer group."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS

_RETRY = 0.5
_ATTEMPTS = 60
"""So often, with so many seconds in between, a broker without the group's coordinator is asked."""


class GroupLag:
    """Asks Kafka how many messages the workers have not acknowledged.

    Raises:
        KafkaError: Kafka can't be reached, or forbids it.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = AIOKafkaAdminClient(**connection(settings))
        # It belongs to no group, and reads no record.
        self._consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False)
        self._partitions: list[TopicPartition] = []

    async def start(self) -> None:
        """Connect, and find out which partitions there are."""
        await self._admin.start()
        await self._consumer.start()
        names = [self._settings.source_topic, SPAN_FACTS, TRACE_FACTS]
        for topic in await self._admin.describe_topics(names):
            self._partitions += [
                TopicPartition(topic["topic"], each["partition"]) for each in topic["partitions"]
            ]

    async def stop(self) -> None:
        """Disconnect."""
        await self._admin.close()
        await self._consumer.stop()

    @property
    def source_partitions(self) -> int:
        """How many partitions the source topic has."""
        return sum(each.topic == self._settings.source_topic for each in self._partitions)

    async def messages(self) -> int:
        """Return the messages that the stages have still to read, all three together."""
        committed = await self._committed()
        ends = await self._consumer.end_offsets(self._partitions)
        lag = 0
        never = [each for each in self._partitions if committed[each].offset < 0]
        begins = await self._consumer.beginning_offsets(never) if never else {}
        for partition, end in ends.items():
            # The local broker gives an end that is too early.
            lag += max(0, end - begins.get(partition, committed[partition].offset))
        return lag

    async def _committed(self) -> dict[TopicPartition, OffsetAndMetadata]:
        """The offsets that the group has acknowledged; below 0 where it never has."""
        attempt = 0
        while True:
            try:
                found: dict[
                    TopicPartition, OffsetAndMetadata
                ] = await self._admin.list_consumer_group_offsets(
                    self._settings.group_id, partitions=self._partitions
                )
            except KafkaError as error:  # the group's coordinator is not there yet, or again
                attempt += 1
                if not error.retriable or attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(_RETRY)
            else:
                return found
