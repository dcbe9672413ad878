"""Workers with a group instance ID, on Apache Kafka: restarts move nothing, of two with one name one goes.

And topics that change are noticed though the group's leader does not know that it leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from spanloom.agents.app import EXIT_NAME_TAKEN
from spanloom.kafka.topics import SPAN_FACTS, TRACES_CHANGELOG
from tests.fixtures_local import wait_until
from tests.integration import otlp
from tests.integration.conftest import installed
from tests.integration.installation import PARTITIONS, Installation, Worker
from tests.integration.otlp import SESSIONS, TRACES
from tests.integration.outages.topics import SOURCE, create_anew, more_partitions, produce_to
from tests.integration.test_failures import load

pytestmark = pytest.mark.kafka

RESTORING = "Restoring state from changelogs"
"""What a worker logs whenever it gets an assignment from a rebalance or a join."""


@pytest.fixture
def installation(tmp_path: Path, local_clickhouse: str) -> Iterator[Installation]:
    """Apache Kafka, whatever the other tests run on: the local broker knows no static members."""
    with installed("kafka", local_clickhouse, tmp_path) as installation:
        yield installation


def static_worker(installation: Installation, name: str) -> Worker:
    installation.settings["SPANLOOM_WORKER__GROUP_INSTANCE_ID"] = name
    return installation.worker()


def assignments(installation: Installation) -> dict[str, bytes]:
    """What the group has given to each member, by the name of its worker, as Kafka knows it."""

    async def ask() -> dict[str, bytes]:
        admin = AIOKafkaAdminClient(bootstrap_servers=installation.bootstrap)
        await admin.start()
        try:
            (answer,) = await admin.describe_consumer_groups(["spanloom"])
        finally:
            await admin.close()
        ((_, _, _, _, _, members, *_),) = answer.groups
        return {client: bytes(assignment) for _, client, _, _, assignment in members}

    return asyncio.run(ask())


@pytest.mark.parametrize("end", [Worker.stop, Worker.kill], ids=["SIGTERM", "kill -9"])
def test_a_restart_moves_nothing_and_loses_nothing(
    installation: Installation, end: Callable[[Worker], object]
) -> None:
    installation.settings["SPANLOOM_KAFKA__SESSION_TIMEOUT"] = "120"
    first, second = static_worker(installation, "first"), static_worker(installation, "second")
    wait_until(
        lambda: len(assignments(installation)) == 2 and all(assignments(installation).values()), "two members"
    )
    wait_until(lambda: (first.probe("/ready"), second.probe("/ready")) == (200, 200), "both to be ready")
    held = assignments(installation)
    joined = second.log.count(RESTORING)
    messages = load(300, seed=11)
    third = len(messages) // 3
    installation.produce(messages[:third])
    wait_until(lambda: installation.committed("spanloom.span-facts") > 0, "some of the load to be through")
    end(first)
    installation.produce(messages[third : 2 * third])
    first.start()
    installation.produce(messages[2 * third :])
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    assert assignments(installation) == held
    assert second.log.count(RESTORING) == joined


def test_what_a_worker_held_that_went_for_good_goes_to_the_others(installation: Installation) -> None:
    stays, goes = static_worker(installation, "stays"), static_worker(installation, "goes")
    wait_until(lambda: (stays.probe("/ready"), goes.probe("/ready")) == (200, 200), "both to be ready")
    messages = load(150, seed=12)
    installation.produce(messages[: len(messages) // 2])
    assert goes.stop() == 0
    installation.produce(messages[len(messages) // 2 :])
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))


def test_of_two_workers_with_one_name_the_first_ends_with_a_sentence(installation: Installation) -> None:
    first = static_worker(installation, "same")
    messages = load(150, seed=13)
    installation.produce(messages[: len(messages) // 2])
    wait_until(lambda: installation.committed() > 0, "something to be through")
    second = static_worker(installation, "same")
    assert first.wait() == EXIT_NAME_TAKEN
    last = first.log.rstrip().splitlines()[-1]
    assert "another worker has joined the group as 'same'" in last
    assert "SPANLOOM_WORKER__GROUP_INSTANCE_ID" in last
    assert "Traceback" not in first.log
    installation.produce(messages[len(messages) // 2 :])
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    assert second.running


def test_a_worker_that_was_held_up_for_longer_than_the_session_timeout_joins_again(
    installation: Installation,
) -> None:
    worker = static_worker(installation, "slow")
    other = static_worker(installation, "other")
    wait_until(lambda: (worker.probe("/ready"), other.probe("/ready")) == (200, 200), "both to be ready")
    with worker.suspended():
        wait_until(lambda: len(assignments(installation)) == 1, "the group to go on without it")
    wait_until(lambda: len(assignments(installation)) == 2, "both to be members", 60)
    messages = load(60, seed=14)
    installation.produce(messages)
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    assert worker.running
    assert other.running


def led_by_one_that_was_started_again(installation: Installation) -> tuple[Worker, Worker]:
    """Two members; the group's leader has been started again, so that it takes itself for a follower."""
    installation.settings["SPANLOOM_KAFKA__SESSION_TIMEOUT"] = "120"
    leader, other = static_worker(installation, "leader"), static_worker(installation, "other")
    wait_until(lambda: (leader.probe("/ready"), other.probe("/ready")) == (200, 200), "both to be ready")
    wait_until(lambda: len(assignments(installation)) == 2, "both to be members")
    assert leader.stop() == 0
    leader.start()
    return leader, other


def test_new_partitions_are_read_though_the_leader_was_started_again(installation: Installation) -> None:
    leader, other = led_by_one_that_was_started_again(installation)
    more_partitions(installation, SOURCE)
    messages = load(60, seed=15)
    for number in range(PARTITIONS):
        produce_to(installation, SOURCE, PARTITIONS + number, messages[number::PARTITIONS])
    installation.wait_for(TRACES, otlp.expected_traces(messages))
    installation.wait_for(SESSIONS, otlp.expected_sessions(messages))
    wait_until(lambda: (leader.probe("/ready"), other.probe("/ready")) == (200, 200), "both to be ready", 60)


@pytest.mark.parametrize("topic", [SOURCE, SPAN_FACTS, TRACES_CHANGELOG])
def test_a_topic_that_is_created_anew_is_noticed_though_the_leader_was_started_again(
    installation: Installation, topic: str
) -> None:
    """What is kept through the rebalances that follow is not of the topic before."""
    leader, other = led_by_one_that_was_started_again(installation)
    old, new = load(60, seed=16), load(200, seed=17)
    installation.produce(old)
    installation.wait_for(TRACES, otlp.expected_traces(old))
    installation.wait_for(SESSIONS, otlp.expected_sessions(old))
    wait_until(lambda: installation.committed(SPAN_FACTS) > 0, "the inner topic to be acknowledged")
    create_anew(installation, topic)
    wait_until(
        lambda: all("beginning anew with it" in worker.log for worker in (leader, other)),
        "both to notice",
        60,
    )
    wait_until(lambda: (leader.probe("/ready"), other.probe("/ready")) == (200, 200), "both to be ready", 60)
    installation.produce(new)
    installation.wait_for(TRACES, otlp.expected_traces([*old, *new]))
    installation.wait_for(SESSIONS, otlp.expected_sessions([*old, *new]))
    assert leader.running
    assert other.running
