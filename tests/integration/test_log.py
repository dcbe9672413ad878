"""What is read of the log itself, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.records import Partition
from spanloom.kafka.producer import Producer, Record
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import TRACES_CHANGELOG
from tests.integration.installation import PARTITIONS, Installation

SPANS = [("otlp_spans", number) for number in range(PARTITIONS)]
CHANGELOG = [(TRACES_CHANGELOG, number) for number in range(PARTITIONS)]


WITHOUT_IDS = {"otlp_spans": TopicIds("", "")}


def at(offset: int) -> Committed:
    """An offset that says not of which topic it is, as older brokers and versions have it."""
    return Committed(offset, TopicIds("", ""))


def log(installation: Installation) -> Log:
    return Log(KafkaSettings(bootstrap_servers=installation.bootstrap), lambda: None)


def test_reading_begins_at_the_committed_offset_else_at_the_earliest(kafka_only: Installation) -> None:
    kafka_only.produce([b"message %d" % number for number in range(3 * PARTITIONS)])
    committed = dict(zip(SPANS, (at(2), None, at(3), at(40)), strict=True))
    first = asyncio.run(log(kafka_only).first_offsets(committed, WITHOUT_IDS))
    # What was committed behind the end belongs to a topic that is gone.
    assert first == dict(zip(SPANS, (2, 0, 3, 0), strict=True))
    assert asyncio.run(log(kafka_only).first_offsets({}, {})) == {}


def test_of_an_empty_topic_reading_begins_at_its_beginning(kafka_only: Installation) -> None:
    first = asyncio.run(log(kafka_only).first_offsets(dict.fromkeys(SPANS, at(7)), WITHOUT_IDS))
    assert first == dict.fromkeys(SPANS, 0)


def test_what_was_fetched_and_dropped_is_fetched_again_where_nothing_is_committed(
    kafka_only: Installation,
) -> None:
    """Around a rebalance Faust does just this, and aiokafka alone would seek nothing."""
    kafka_only.produce([b"message %d" % number for number in range(3 * PARTITIONS)])
    asyncio.run(_drop_and_read_again(kafka_only))


async def _drop_and_read_again(installation: Installation) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=installation.bootstrap,
        group_id="another",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    consumer.assign([TopicPartition(*partition) for partition in SPANS])
    await consumer.start()
    try:
        dropped = await _read(consumer, 3 * PARTITIONS)
        await consumer.commit({TopicPartition(*SPANS[0]): 2})
        committed = {
            partition: None if found is None else at(found)
            for partition in SPANS
            for found in [await consumer.committed(TopicPartition(*partition))]
        }
        for partition, offset in (await log(installation).first_offsets(committed, WITHOUT_IDS)).items():
            consumer.seek(TopicPartition(*partition), offset)
        assert await _read(consumer, 3 * PARTITIONS - 2) == dropped - {(0, 0), (0, 1)}
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, count: int) -> set[tuple[int, int]]:
    """Read that many records; returns partition and offset of each."""
    found: set[tuple[int, int]] = set()
    while len(found) < count:
        record = await asyncio.wait_for(consumer.getone(), 30)
        found.add((record.partition, record.offset))
    return found


def test_a_changelog_is_read_to_its_end_however_its_last_records_were_written(
    kafka_only: Installation,
) -> None:
    written = asyncio.run(_write_changelog(kafka_only))
    read: dict[Partition, list[bytes]] = {}

    def take(partition: Partition, records: Sequence[Any]) -> None:
        read.setdefault(partition, []).extend(record.key for record in records)

    ends = asyncio.run(log(kafka_only).read(CHANGELOG, take))
    assert read == written
    assert asyncio.run(log(kafka_only).read([], take)) == {}
    assert read == written
    # What is written next shows that nobody else has written meanwhile.
    assert ends == asyncio.run(_written_next(kafka_only))


async def _written_next(installation: Installation) -> dict[Partition, int]:
    producer = Producer(KafkaSettings(bootstrap_servers=installation.bootstrap, idempotent=False), retry=None)
    await producer.start()
    try:
        records = [Record(number, b"key", b"value") for _, number in CHANGELOG for _ in range(3)]
        appended = await producer.produce(TRACES_CHANGELOG, records)
    finally:
        await producer.stop()
    assert {each.records for each in appended} == {3}
    return {(TRACES_CHANGELOG, each.partition): each.offset for each in appended}


async def _write_changelog(installation: Installation) -> dict[Partition, list[bytes]]:
    """Partition 0 ends with a large batch, 1 with a single record, 2 with the mark of a transaction; 3 is empty."""
    written: dict[Partition, list[bytes]] = {}
    transactional = installation.kafka is not None  # Tansu knows no transactions
    producer = AIOKafkaProducer(
        bootstrap_servers=installation.bootstrap, transactional_id="tests" if transactional else None
    )

    async def write(number: int, sizes: Sequence[int]) -> None:
        for size in sizes:
            batch = producer.create_batch()
            keys = [b"%d of %d" % (one, size) for one in range(size)]
            for key in keys:
                batch.append(key=key, value=b"value", timestamp=None)
            written.setdefault(CHANGELOG[number], []).extend(keys)
            await (await producer.send_batch(batch, TRACES_CHANGELOG, partition=number))

    await producer.start()
    try:
        if transactional:
            async with producer.transaction():
                await write(2, [2])
        else:
            await write(2, [2])
    finally:
        await producer.stop()
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        await write(0, [1, 500])
        await write(1, [500, 1])
    finally:
        await producer.stop()
    return written


def test_the_log_knows_how_far_it_reaches(kafka_only: Installation) -> None:
    written = asyncio.run(_write_changelog(kafka_only))
    asked = log(kafka_only)
    large, ended = CHANGELOG[0], CHANGELOG[2]
    count = len(written[large])
    assert asyncio.run(asked.next_offset(large, 7)) == 7
    assert asyncio.run(asked.holds(large, count))
    assert not asyncio.run(asked.holds(large, count + 1))
    assert not asyncio.run(asked.holds(large, count + 700))
    assert asyncio.run(asked.holds(ended, 2))
    assert not asyncio.run(asked.holds(ended, 9))
    assert asyncio.run(asked.holds(CHANGELOG[3], 0))
    assert not asyncio.run(asked.holds(CHANGELOG[3], 1))
