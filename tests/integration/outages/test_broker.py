"""What a broker tells of topics and groups."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaClient, AIOKafkaConsumer

from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.membership.group import partitions_read
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topic_ids import existing_topics
from spanloom.kafka.topics import SPAN_FACTS
from tests.fixtures_local import wait_until
from tests.integration.installation import PARTITIONS, Installation
from tests.integration.outages.topics import SOURCE, create_anew

MINUTE = 60


@pytest.fixture
def settings(kafka_only: Installation) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_only.bootstrap, partitions=PARTITIONS)


def _another_id(log: Log, old: str) -> str:
    """Return the ID of the source topic that is there since it was created anew: a broker may not know that topic for a
    moment, or know the old one still."""
    found = old

    def is_there() -> bool:
        nonlocal found
        topics = asyncio.run(log.topics([SOURCE]))
        found = topics[SOURCE].id if SOURCE in topics else old
        return found != old

    wait_until(is_there, "the broker to tell of the new topic")
    return found


def test_a_topic_has_an_id_and_another_one_when_it_is_created_anew(
    kafka_only: Installation, settings: KafkaSettings
) -> None:
    log = Log(settings, lambda: None)
    before = asyncio.run(log.topics([SOURCE, SPAN_FACTS]))
    assert {name: topic.partitions for name, topic in before.items()} == dict.fromkeys(
        (SOURCE, SPAN_FACTS), PARTITIONS
    )
    assert all(len(topic.id) == 32 for topic in before.values())
    assert asyncio.run(log.topics([SOURCE, SPAN_FACTS])) == before
    create_anew(kafka_only, SOURCE)
    _another_id(log, before[SOURCE].id)
    assert asyncio.run(log.topics([SPAN_FACTS])) == {SPAN_FACTS: before[SPAN_FACTS]}


def test_a_look_creates_no_topic(settings: KafkaSettings) -> None:
    async def look() -> None:
        client = AIOKafkaClient(bootstrap_servers=settings.bootstrap_servers)
        await client.bootstrap()
        try:
            for _ in range(2):
                assert (await existing_topics(client, ["nowhere", SOURCE])).keys() == {SOURCE}
        finally:
            await client.close()

    asyncio.run(look())


def test_an_offset_of_a_topic_that_is_gone_is_none_of_its_successor(
    kafka_only: Installation, settings: KafkaSettings
) -> None:
    log = Log(settings, lambda: None)
    partition = (SOURCE, 0)
    kafka_only.produce([b"%d" % number for number in range(8 * PARTITIONS)])
    ids = {SOURCE: TopicIds(asyncio.run(log.topics([SOURCE]))[SOURCE].id, "")}
    committed = Committed(5, ids[SOURCE])
    assert asyncio.run(log.first_offsets({partition: committed}, ids)) == {partition: 5}
    create_anew(kafka_only, SOURCE)
    kafka_only.produce([b"%d" % number for number in range(8 * PARTITIONS)])
    ids = {SOURCE: TopicIds(_another_id(log, committed.ids.topic), "")}
    assert asyncio.run(log.first_offsets({partition: committed}, ids)) == {partition: 0}


@pytest.mark.parametrize("members", [1, 2])
def test_what_the_members_of_a_group_read(
    kafka_only: Installation, settings: KafkaSettings, members: int
) -> None:
    expected = {(SOURCE, number) for number in range(PARTITIONS)}

    async def scenario() -> None:
        consumers = [
            AIOKafkaConsumer(SOURCE, bootstrap_servers=settings.bootstrap_servers, group_id="readers")
            for _ in range(members)
        ]
        await asyncio.gather(*(consumer.start() for consumer in consumers))

        async def read() -> set[tuple[str, int]] | None:
            ours = {(tp.topic, tp.partition) for tp in consumers[0].assignment()}
            return await partitions_read(consumers[0]._client, "readers", ours)

        def assigned() -> list[tuple[str, int]]:
            return sorted(tuple(tp) for consumer in consumers for tp in consumer.assignment())

        try:
            async with asyncio.timeout(MINUTE):
                while assigned() != sorted(expected):
                    await asyncio.gather(*(consumer.getmany(timeout_ms=100) for consumer in consumers))
                if members > 1 and kafka_only.tansu is not None:
                    assert await read() is None  # it does not say
                else:
                    while await read() != expected:
                        await asyncio.gather(*(consumer.getmany(timeout_ms=100) for consumer in consumers))
        finally:
            await asyncio.gather(*(consumer.stop() for consumer in consumers))

    asyncio.run(scenario())
