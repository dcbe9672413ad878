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
    members, numbers = await _members_and_partitions(settings)
    if members:
        raise busy
    if not numbers:
        raise RewindError(f"topic {settings.source_topic} does not exist: nothing was read from it")
    consumer = AIOKafkaConsumer(**connection(settings), group_id=settings.group_id, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.source_topic, number) for number in numbers]
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


async def _members_and_partitions(settings: KafkaSettings) -> tuple[int, list[int]]:
    """How many members the group has, and the partitions of the source topic, none if it is not there."""
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        (response,) = await admin.describe_consumer_groups([settings.group_id])
        members = sum(len(group[5]) for group in response.groups)
        topics = await admin.describe_topics([settings.source_topic])
        return members, sorted(one["partition"] for topic in topics for one in topic["partitions"])
    finally:
        await admin.close()
