"""Where reading begins, on a real broker."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from spanloom.agents.consuming.transport import seek_to_what_is_due
from tests.integration.installation import PARTITIONS, Installation


def test_what_was_fetched_and_dropped_comes_again_where_nothing_is_committed(
    installation: Installation,
) -> None:
    """Around a rebalance Faust does just this, and aiokafka alone would seek nothing."""
    installation.produce([b"message %d" % number for number in range(3 * PARTITIONS)])
    asyncio.run(_drop_and_read_again(installation.bootstrap))


async def _drop_and_read_again(bootstrap: str) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id="another",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    partitions = [TopicPartition("otlp_spans", number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.start()
    try:
        dropped = await _read(consumer, 3 * PARTITIONS)
        await consumer.commit({partitions[0]: 2})
        committed = await seek_to_what_is_due(consumer, changelogs=())
        assert {tp.partition: offset for tp, offset in committed.items() if offset} == {0: 2}
        assert await _read(consumer, 3 * PARTITIONS - 2) == dropped - {(0, 0), (0, 1)}

        await seek_to_what_is_due(consumer, changelogs=("otlp_spans",))
        assert await _read(consumer, 1) == {(0, 2)}
        assert await consumer.getmany(timeout_ms=200) == {}
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, count: int) -> set[tuple[int, int]]:
    """Read that many records; returns partition and offset of each."""
    found: set[tuple[int, int]] = set()
    while len(found) < count:
        record = await asyncio.wait_for(consumer.getone(), 30)
        found.add((record.partition, record.offset))
    return found
