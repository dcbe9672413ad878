"""Topics deleted and created, as an operator would."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from tests.integration.installation import PARTITIONS, Installation

SOURCE = "otlp_spans"


async def _admin(bootstrap: str, *, delete: str = "", create: str = "", partitions: int = PARTITIONS) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if delete:
            await admin.delete_topics([delete])
        while create:
            answer = await admin.create_topics([NewTopic(create, partitions, 1)])
            error = for_code(answer.topic_errors[0][1])
            if error is NoError:
                return
            assert error is TopicAlreadyExistsError, error
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def delete(installation: Installation, topic: str) -> None:
    asyncio.run(_admin(installation.bootstrap, delete=topic))


def create(installation: Installation, topic: str, partitions: int = PARTITIONS) -> None:
    asyncio.run(_admin(installation.bootstrap, create=topic, partitions=partitions))


def create_anew(installation: Installation, topic: str) -> None:
    asyncio.run(_admin(installation.bootstrap, delete=topic, create=topic))
