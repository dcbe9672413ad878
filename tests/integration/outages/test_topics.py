"""Topics that are deleted under running workers, and created anew: at once, later, with other partitions.

A worker that ends with 70 is started again here, as its supervisor would.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from spanloom.agents.app import EXIT_FAILED
from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.installation import PARTITIONS, Installation, Worker
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span
from tests.integration.outages.topics import SOURCE, create, create_anew, delete, more_partitions, produce_to
from tests.integration.test_failures import load

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
    more_partitions(installation, SOURCE)
    new = spans_of(16, 85)
    produce_to(installation, SOURCE, PARTITIONS + 1, new)
    supervised(worker, shows(installation, new), "the new partition to be read")


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


async def _serve_since(bootstrap: str, began: int) -> None:
    """As if workers had been there since then (ms): for what is younger than its state a worker looks nowhere."""
    clock = StreamClock(kept_since=began, now=began).to_message().SerializeToString()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id="spanloom", enable_auto_commit=False)
    await asyncio.gather(producer.start(), consumer.start())
    try:
        for number in range(PARTITIONS):
            await producer.send_and_wait(TRACES_CHANGELOG, clock, key=CLOCK_RECORD, partition=number)
        partitions = [TopicPartition(SPAN_FACTS, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await asyncio.gather(producer.stop(), consumer.stop())


def test_a_changelog_that_is_created_anew_under_a_worker_pretends_nothing(installation: Installation) -> None:
    """The worker writes to the new one until it notices: a part of the state, and a clock by which it is all.

    Traces of which only the old one knew are found in ClickHouse, not taken for new.
    """
    asyncio.run(_serve_since(installation.bootstrap, round(time.time() * 1000) - 20 * MINUTE * 1000))
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
    if installation.tansu is not None:
        # It gives back no IDs with an offset: what the worker knows counts, and it must have had the time to look.
        supervised(worker, lambda: "was deleted and created anew" in worker.log, "the worker to notice")
        supervised(worker, lambda: worker.probe("/ready") == 200, "ready with the new one")
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
