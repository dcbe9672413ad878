"""Topics that are deleted under running workers, and created anew: at once, later, with other partitions.

A worker that ends with 70 is started again here, as its supervisor would.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from spanloom.agents.app import EXIT_FAILED
from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.log import Log
from spanloom.kafka.group import partitions_read
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topic_ids import existing_topics
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import PARTITIONS, Installation, Worker
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span
from tests.integration.test_failures import load

SOURCE = "otlp_spans"
MINUTE = 60


def spans_of(traces: int, seed: int) -> list[bytes]:
    """Each message one trace, whole: what is read of it is read at once."""
    generator = random.Random(seed)
    now = time.time_ns()
    return [
        message(
            span(trace, 1, start=now, session__id=f"s{number % 5}"),
            llm(trace, 2, 1, start=now + SECOND, tokens=number),
        )
        for number, trace in enumerate(generator.getrandbits(120) for _ in range(traces))
    ]


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


def supervised(worker: Worker, condition: Callable[[], bool], what: str, deadline: float = MINUTE) -> None:
    """Wait for something; start the worker again whenever it has ended as the docs say it does."""

    def holds() -> bool:
        if not worker.running:
            assert worker.wait() == EXIT_FAILED, worker.log[-3000:]
            worker.start(ready=False)
        return condition()

    wait_until(holds, what, deadline)


def shows(installation: Installation, messages: list[bytes]) -> Callable[[], bool]:
    traces, sessions = otlp.expected_traces(messages), otlp.expected_sessions(messages)
    return lambda: installation.sql(TRACES) == traces and installation.sql(SESSIONS) == sessions


def test_a_source_topic_that_is_created_anew_at_once_is_read_from_its_beginning(
    installation: Installation,
) -> None:
    """Also what lies below the old offsets, though there is more in it than there was before."""
    worker = installation.worker()
    old, new = spans_of(40, 81), spans_of(160, 82)
    installation.produce(old)
    wait_until(lambda: installation.committed() == len(old), "the old records to be through")
    create_anew(installation, SOURCE)
    installation.produce(new)
    supervised(worker, shows(installation, [*old, *new]), "the new records to be through")
    supervised(worker, lambda: worker.probe("/ready") == 200, "ready")


def test_a_missing_source_topic_is_said_and_waited_for(installation: Installation) -> None:
    if installation.tansu is not None:
        pytest.skip("the local broker creates a topic when the consumer asks for it")
    worker = installation.worker()
    old, new = spans_of(40, 83), spans_of(80, 84)
    installation.produce(old)
    wait_until(lambda: installation.committed() == len(old), "the old records to be through")
    delete(installation, SOURCE)
    wait_until(lambda: worker.probe("/ready") == 503, "not ready")
    sentence = f"topic {SOURCE} does not exist any more"
    wait_until(lambda: sentence in worker.log, "the reason")
    assert worker.running
    assert worker.probe("/live") == 200
    create(installation, SOURCE, partitions=2 * PARTITIONS)
    installation.produce(new)
    supervised(worker, shows(installation, [*old, *new]), "the new records to be through")
    supervised(worker, lambda: worker.probe("/ready") == 200, "ready")
    assert worker.log.count(sentence) == 1


def test_a_source_topic_with_more_partitions_is_read_whole(installation: Installation) -> None:
    if installation.tansu is not None:
        pytest.skip("the local broker can't give a topic more partitions")
    worker = installation.worker()
    asyncio.run(_more_partitions(installation.bootstrap))
    new = spans_of(16, 85)
    asyncio.run(_produce_to(installation.bootstrap, PARTITIONS + 1, new))
    supervised(worker, shows(installation, new), "the new partition to be read")


async def _more_partitions(bootstrap: str) -> None:
    from aiokafka.admin import NewPartitions

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({SOURCE: NewPartitions(2 * PARTITIONS)})
    finally:
        await admin.close()


async def _produce_to(bootstrap: str, partition: int, messages: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in messages:
            await producer.send_and_wait(SOURCE, value, partition=partition)
    finally:
        await producer.stop()


@pytest.mark.parametrize("topic", [SPAN_FACTS, TRACE_FACTS])
def test_an_inner_topic_that_is_created_anew(installation: Installation, topic: str) -> None:
    """What was through stays right, and what comes is read from the new topic's beginning."""
    worker = installation.worker()
    old, new = spans_of(40, 86), spans_of(160, 87)
    installation.produce(old)
    wait_until(shows(installation, old), "the old records to be through")
    wait_until(lambda: installation.committed(topic) > 0, "the inner topic to be acknowledged")
    create_anew(installation, topic)
    supervised(worker, lambda: "was deleted and created anew" in worker.log, "the worker to notice")
    supervised(worker, lambda: worker.probe("/ready") == 200, "ready")
    installation.produce(new)
    supervised(worker, shows(installation, [*old, *new]), "the new records to be through")


def test_a_changelog_that_is_created_anew_under_a_worker_pretends_nothing(installation: Installation) -> None:
    """The worker writes to the new one until it notices: a part of the state, and a clock by which it is all.

    Traces of which only the old one knew are found in ClickHouse, not taken for new.
    """
    worker = installation.worker()
    halves = [message(llm(trace, 2, 1, tokens=trace % 7)) for trace in range(1000, 1040)]
    others = spans_of(40, 88)
    rest = [message(span(trace, 1, session__id=f"s{trace % 5}")) for trace in range(1000, 1040)]
    installation.produce(halves)
    wait_until(lambda: len(installation.sql(TRACES)) == len(halves), "the first halves to be through")
    wait_until(lambda: len(installation.consume(TRACES_CHANGELOG)) > PARTITIONS, "state in the changelog")
    create_anew(installation, TRACES_CHANGELOG)
    installation.produce(others)
    supervised(worker, shows(installation, [*halves, *others]), "what came meanwhile to be through")
    if worker.running:
        worker.kill()
        worker.start(ready=False)
    supervised(worker, lambda: worker.probe("/ready") == 200, "ready")
    installation.produce(rest)
    supervised(
        worker, shows(installation, [*halves, *others, *rest]), "the rest to be added to what was there"
    )


def test_of_three_workers_and_few_partitions_each_is_ready(installation: Installation) -> None:
    """All partitions have a worker, though not every worker has one of each topic."""
    workers = [installation.worker() for _ in range(3)]
    wait_until(lambda: all(worker.probe("/ready") == 200 for worker in workers), "all ready", MINUTE)
    messages = load(30, seed=89)
    installation.produce(messages)
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    assert all(worker.probe("/ready") == 200 for worker in workers)
    assert not any("no worker of the group has" in worker.log for worker in workers)


class TestTheBroker:
    """What it tells of topics and groups."""

    @pytest.fixture
    def settings(self, kafka_only: Installation) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=kafka_only.bootstrap, partitions=PARTITIONS)

    def test_a_topic_has_an_id_and_another_one_when_it_is_created_anew(
        self, kafka_only: Installation, settings: KafkaSettings
    ) -> None:
        log = Log(settings, lambda: None)
        before = asyncio.run(log.topics([SOURCE, SPAN_FACTS]))
        assert {name: topic.partitions for name, topic in before.items()} == dict.fromkeys(
            (SOURCE, SPAN_FACTS), PARTITIONS
        )
        assert all(len(topic.id) == 32 for topic in before.values())
        assert asyncio.run(log.topics([SOURCE, SPAN_FACTS])) == before
        create_anew(kafka_only, SOURCE)

        def has_another_id() -> bool:
            after = asyncio.run(log.topics([SOURCE, SPAN_FACTS]))
            assert after[SPAN_FACTS] == before[SPAN_FACTS]
            return SOURCE in after and after[SOURCE].id != before[SOURCE].id

        wait_until(has_another_id, "the broker to tell of the new topic")  # it may hear of it a moment later

    def test_a_look_creates_no_topic(self, settings: KafkaSettings) -> None:
        async def look() -> None:
            from aiokafka import AIOKafkaClient

            client = AIOKafkaClient(bootstrap_servers=settings.bootstrap_servers)
            await client.bootstrap()
            try:
                for _ in range(2):
                    assert (await existing_topics(client, ["nowhere", SOURCE])).keys() == {SOURCE}
            finally:
                await client.close()

        asyncio.run(look())

    def test_an_offset_of_a_topic_that_is_gone_is_none_of_its_successor(
        self, kafka_only: Installation, settings: KafkaSettings
    ) -> None:
        log = Log(settings, lambda: None)
        partition = (SOURCE, 0)
        kafka_only.produce([b"%d" % number for number in range(8 * PARTITIONS)])
        ids = {SOURCE: TopicIds(asyncio.run(log.topics([SOURCE]))[SOURCE].id, "")}
        committed = Committed(5, ids[SOURCE])
        assert asyncio.run(log.first_offsets({partition: committed}, ids)) == {partition: 5}
        create_anew(kafka_only, SOURCE)
        kafka_only.produce([b"%d" % number for number in range(8 * PARTITIONS)])
        wait_until(
            lambda: asyncio.run(log.topics([SOURCE]))[SOURCE].id != committed.ids.topic, "the new topic's ID"
        )
        ids = {SOURCE: TopicIds(asyncio.run(log.topics([SOURCE]))[SOURCE].id, "")}
        assert asyncio.run(log.first_offsets({partition: committed}, ids)) == {partition: 0}

    @pytest.mark.parametrize("members", [1, 2])
    def test_what_the_members_of_a_group_read(
        self, kafka_only: Installation, settings: KafkaSettings, members: int
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
                            await asyncio.gather(
                                *(consumer.getmany(timeout_ms=100) for consumer in consumers)
                            )
            finally:
                await asyncio.gather(*(consumer.stop() for consumer in consumers))

        asyncio.run(scenario())
