"""Topics deleted, created and enlarged, as an operator would."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from tests.integration.installation import PARTITIONS, Installation

SOURCE = "otlp_spans"


async def _admin(
    installation: Installation, *, delete: str = "", create: str = "", partitions: int = PARTITIONS
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.bootstrap)
    await admin.start()
    try:
        if delete:
            await admin.delete_topics([delete])
        while create:
            answer = await admin.create_topics([NewTopic(create, partitions, installation.replication)])
            error = for_code(answer.topic_errors[0][1])
            if error is NoError:
                return
            assert error is TopicAlreadyExistsError, error
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def delete(installation: Installation, topic: str) -> None:
    asyncio.run(_admin(installation, delete=topic))


def create(installation: Installation, topic: str, partitions: int = PARTITIONS) -> None:
    asyncio.run(_admin(installation, create=topic, partitions=partitions))


def create_anew(installation: Installation, topic: str) -> None:
    asyncio.run(_admin(installation, delete=topic, create=topic))


def more_partitions(installation: Installation, topic: str, partitions: int = 2 * PARTITIONS) -> None:
    async def ask() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=installation.bootstrap)
        await admin.start()
        try:
            await admin.create_partitions({topic: NewPartitions(partitions)})
        finally:
            await admin.close()

    asyncio.run(ask())


def produce_to(installation: Installation, topic: str, partition: int, messages: Sequence[bytes]) -> None:
    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
        await producer.start()
        try:
            for value in messages:
                await producer.send_and_wait(topic, value, partition=partition)
        finally:
            await producer.stop()

    asyncio.run(send())
