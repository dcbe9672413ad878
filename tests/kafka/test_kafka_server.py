"""The fixture's promise: a real Apache Kafka whose topics and records outlive its process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError

from tests.fixtures_kafka import KafkaServer
from tests.kafka_jars import kafka_jars, pinned_version

pytestmark = pytest.mark.kafka

DEADLINE = 20.0
RECORDS = [(f"trace-{n}".encode(), f"facts-{n}".encode()) for n in range(5)]


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that a test may leave stopped."""
    server = KafkaServer(tmp_path / "kafka")
    server.start()
    try:
        yield server
    finally:
        server.kill()


async def create_compacted(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"cleanup.policy": "compact"})])
    finally:
        await admin.close()


async def cleanup_policy(bootstrap: str, topic: str) -> str | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    settings = {entry[0]: entry[1] for answer in answers for entry in answer.resources[0][4]}
    return settings.get("cleanup.policy")


async def produce(bootstrap: str, topic: str, records: list[tuple[bytes, bytes]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for key, value in records:
            await producer.send_and_wait(topic, value, key=key)


async def consume(
    bootstrap: str, topic: str, count: int, group: str | None = None
) -> list[tuple[bytes, bytes]]:
    """The next `count` records, from the group's committed offset or else the beginning."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=1000,
        heartbeat_interval_ms=300,
    )
    async with asyncio.timeout(DEADLINE), consumer:
        records = [await consumer.getone() for _ in range(count)]
        if group is not None:
            await consumer.commit()
    return [(record.key, record.value) for record in records]


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_records_and_topic_settings_are_still_there_after_a_restart(
    apache_kafka: KafkaServer, kill: bool
) -> None:
    topic = f"changelog-{'killed' if kill else 'stopped'}"
    before = apache_kafka.bootstrap
    asyncio.run(create_compacted(before, topic))
    asyncio.run(produce(before, topic, RECORDS))
    assert asyncio.run(consume(before, topic, len(RECORDS))) == RECORDS

    apache_kafka.restart(kill=kill)

    assert apache_kafka.bootstrap == before
    assert asyncio.run(cleanup_policy(before, topic)) == "compact"
    assert asyncio.run(consume(before, topic, len(RECORDS))) == RECORDS


def test_a_group_goes_on_where_it_committed_before_the_restart(apache_kafka: KafkaServer) -> None:
    topic, group = "source", "readers"
    asyncio.run(create_compacted(apache_kafka.bootstrap, topic))
    asyncio.run(produce(apache_kafka.bootstrap, topic, RECORDS))
    assert asyncio.run(consume(apache_kafka.bootstrap, topic, 2, group)) == RECORDS[:2]

    apache_kafka.restart()

    assert asyncio.run(consume(apache_kafka.bootstrap, topic, 3, group)) == RECORDS[2:]


def test_a_stopped_broker_answers_nobody_until_it_is_started(own_kafka: KafkaServer) -> None:
    asyncio.run(create_compacted(own_kafka.bootstrap, "kept"))
    own_kafka.stop()
    assert not own_kafka.running
    with pytest.raises(KafkaConnectionError):
        asyncio.run(produce(own_kafka.bootstrap, "kept", RECORDS))
    own_kafka.start()
    asyncio.run(produce(own_kafka.bootstrap, "kept", RECORDS))
    assert asyncio.run(consume(own_kafka.bootstrap, "kept", len(RECORDS))) == RECORDS


def test_the_jars_are_fetched_once_for_a_pinned_version() -> None:
    jars = kafka_jars()
    fetched = jars.stat().st_mtime_ns
    assert (jars / f"kafka_2.13-{pinned_version()}.jar").is_file()
    assert kafka_jars() == jars
    assert jars.stat().st_mtime_ns == fetched
