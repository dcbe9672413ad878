"""Has spans read again that workers have read before: moves what the group has committed back in the source topic."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError

from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings


class RewindError(Exception):
    """It can't be done now; one sentence."""


async def rewind(settings: KafkaSettings, since: int) -> dict[int, tuple[int, int]]:
    """Move the group back to the first record of each partition that is not older than `since`, ms since the epoch,
    unless it is before that anyway.

    Returns:
        By partition from where to where it was moved; nothing for those in which it was not.

    Raises:
        RewindError: workers run, or the topic is not there.
        KafkaError: Kafka can't be reached.
    """
    busy = RewindError(
        f"the group {settings.group_id} has workers, who would go on where they are: stop all of them, and try again"
        f" {settings.session_timeout:.0f} s later"
    )
    if await _has_members(settings):
        raise busy
    consumer = AIOKafkaConsumer(**connection(settings), group_id=settings.group_id, enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer.topics()  # without a subscription it knows of none by itself
        numbers = consumer.partitions_for_topic(settings.source_topic)
        if not numbers:
            raise RewindError(f"topic {settings.source_topic} does not exist: nothing was read from it")
        partitions = [TopicPartition(settings.source_topic, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
        moved: dict[int, tuple[int, int]] = {}
        for partition in partitions:
            committed, first = await consumer.committed(partition), found.get(partition)
            if committed is not None and first is not None and first.offset < committed:
                moved[partition.partition] = committed, first.offset
        if moved:
            await consumer.commit({partitions[number]: to for number, (_, to) in moved.items()})
        return moved
    except CommitFailedError:
        raise busy from None
    finally:
        await consumer.stop()


async def _has_members(settings: KafkaSettings) -> bool:
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        (response,) = await admin.describe_consumer_groups([settings.group_id])
        return any(members for *_, members in (group[:6] for group in response.groups))
    finally:
        await admin.close()
