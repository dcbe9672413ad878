"""What a worker looks at over and over while it runs: whether Kafka answers, its topics, stalled partitions."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError

from spanloom.agents.app import WorkerApp
from spanloom.agents.consuming.membership.group import partitions_read
from spanloom.agents.consuming.records import Partition
from spanloom.kafka.outages import OUTAGES
from spanloom.kafka.topic_ids import existing_topics

logger = logging.getLogger("spanloom.worker")

KAFKA_WATCH = 5.0
"""Seconds between two checks whether Kafka answers, and the deadline of each check."""

STALLED_WATCH = 5.0
"""Seconds between two checks for stalled partitions."""

TOPIC_WATCH = 5.0
"""Seconds between two looks at the topics and at what the group reads, and the deadline of each look."""


async def watch_kafka(app: WorkerApp) -> None:
    """Check over and over, for the readiness probe, whether Kafka answers."""
    while True:
        app.kafka_answers = await app.producer_of_ours.answers(KAFKA_WATCH)
        await asyncio.sleep(KAFKA_WATCH if app.kafka_answers else 0.2)


async def watch_stalled(app: WorkerApp) -> None:
    """Check over and over for stalled partitions, and read them again from where they stalled."""
    while True:
        await asyncio.sleep(STALLED_WATCH)
        try:
            await app.offsets.go_back_to_stalled()
        except OUTAGES as error:
            logger.warning("could not read the ends of the log (%s)", type(error).__name__)


async def watch_topics(app: WorkerApp) -> None:
    """Look over and over whether the topics are there and read; begin anew where one was created anew.

    Raises:
        TopicCreatedAnew, TopicError: the worker can't go on with them.
    """
    while True:
        await asyncio.sleep(TOPIC_WATCH)
        if not app.kafka_answers or not app.assignment.found:
            continue  # readiness says so
        try:
            async with asyncio.timeout(TOPIC_WATCH):
                found = await existing_topics(app.producer_of_ours.client, app.topic_watch.names)
                assigned = await _assigned_in_group(app)
        except OUTAGES as error:
            logger.info("could not look at the topics (%s)", type(error).__name__)
        else:
            if app.topic_watch.look(found, app.assignment.found, assigned):
                consumer: Any = app.consumer
                await consumer.rejoin()


async def _assigned_in_group(app: WorkerApp) -> set[Partition] | None:
    """The partitions that any worker has; None where the group or the broker does not say."""
    consumer: Any = app.consumer
    ours = {(tp.topic, tp.partition) for tp in consumer.assignment()}
    try:
        return await partitions_read(app.producer_of_ours.client, app.group_id, ours)
    except OUTAGES:
        raise
    except (KafkaError, NotImplementedError) as error:
        logger.debug("the group can't be described (%r)", error)
        return None
