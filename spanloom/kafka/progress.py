"""How far the group of the workers has come in a topic."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from types import TracebackType

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings

Ends = Mapping[int, int]
"""By partition of a topic the offset of the record that comes next."""

_POLL = 500
"""Milliseconds to wait for what the end of a log holds."""


class Progress:
    """Compares the ends of topics with what the group has acknowledged.

    Used as an asynchronous context manager; entering raises KafkaError or OSError if Kafka can't be reached.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = AIOKafkaAdminClient(**connection(settings))

    async def __aenter__(self) -> Progress:
        try:
            await self._admin.start()
        except BaseException:
            await self._admin.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._admin.close()

    async def ends(self, topic: str) -> Ends:
        """Return where a topic ends now."""
        async with self._reader(topic) as consumer:
            partitions = list(consumer.assignment())
            for partition, end in (await consumer.end_offsets(partitions)).items():
                # The local broker gives an end that is too early (docs/design.md). A fetch brings whole batches.
                if end:
                    consumer.seek(partition, end - 1)
                    await consumer.getmany(partition, timeout_ms=_POLL)
            ends = await consumer.end_offsets(partitions)
            begins = await consumer.beginning_offsets(partitions)
            # Where nothing lies, the group may never have acknowledged anything.
            return {
                partition.partition: max(await consumer.position(partition), ends[partition])
                for partition in partitions
                if ends[partition] > begins[partition]
            }

    async def behind(self, topic: str, ends: Ends) -> int:
        """Return how many records before these ends the group has not acknowledged; those it never had to, too."""
        partitions = [TopicPartition(topic, number) for number in ends]
        try:
            found = await self._admin.list_consumer_group_offsets(
                self._settings.group_id, partitions=partitions
            )
        except KafkaError as error:
            if not error.retriable:
                raise
            return sum(ends.values())  # the group's coordinator is not there yet
        committed = {partition.partition: stored.offset for partition, stored in found.items()}
        return sum(max(0, end - max(committed.get(number, 0), 0)) for number, end in ends.items())

    @contextlib.asynccontextmanager
    async def _reader(self, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            # One that has asked for nothing yet knows no partitions.
            described = await self._admin.describe_topics([topic])
            numbers = [each["partition"] for each in described[0]["partitions"]]
            consumer.assign([TopicPartition(topic, number) for number in numbers])
            yield consumer
        finally:
            await consumer.stop()
