"""What Kafka deletes before it was read is lost, and said."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log
from spanloom.kafka.settings import KafkaSettings
from tests.fixtures_kafka import KafkaServer

pytestmark = pytest.mark.kafka

TOPIC = "deleted-unread"
NO_IDS = TopicIds("", "")


async def three_records_two_of_them_deleted(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, 2, 1)])
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            for partition in (0, 1) * 3:
                await producer.send_and_wait(TOPIC, b"record", partition=partition)
        await admin.delete_records({TopicPartition(TOPIC, 1): RecordsToDelete(2)})
    finally:
        await admin.close()


def test_records_that_were_deleted_before_they_were_read_are_counted_in_the_log(
    apache_kafka: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(three_records_two_of_them_deleted(apache_kafka.bootstrap))
    log = Log(KafkaSettings(bootstrap_servers=apache_kafka.bootstrap), lambda: None)

    def said() -> list[str]:
        found = [record.message.partition(" records")[0] for record in caplog.records]
        caplog.clear()
        return [text for text in found if "has deleted" in text]

    # Where a worker begins, after it was away.
    committed = {(TOPIC, 0): Committed(1, NO_IDS), (TOPIC, 1): Committed(1, NO_IDS)}
    assert asyncio.run(log.first_offsets(committed, {TOPIC: NO_IDS})) == {(TOPIC, 0): 1, (TOPIC, 1): 2}
    assert said() == [f"{TOPIC} 1: Kafka has deleted 1"]
    # Nothing was ever committed: nobody knows what was due.
    assert asyncio.run(log.first_offsets({(TOPIC, 1): None}, {TOPIC: NO_IDS})) == {(TOPIC, 1): 2}
    assert said() == []
    # Amid reading, while a worker waited.
    assert asyncio.run(log.next_offset((TOPIC, 1), 0)) == 2
    assert said() == [f"{TOPIC} 1: Kafka has deleted 2"]
    assert asyncio.run(log.next_offset((TOPIC, 0), 1)) == 1
    assert said() == []
