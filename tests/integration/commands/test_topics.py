"""`spanloom topics` and `spanloom lag` on a real broker."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import DEAD_LETTERS, FORGET_REQUESTS, TopicError, check
from tests.fixtures_local import wait_until
from tests.integration.installation import PARTITIONS, Installation
from tests.integration.otlp import llm, message
from tests.integration.outages import topics


def own_source_topic(kafka: Installation, name: str, partitions: int, **config: str) -> None:
    """Make a source topic as an operator would, `_` for a dot; workers are to read it."""

    async def make() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            settings = {key.replace("_", "."): value for key, value in config.items()}
            await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        finally:
            await admin.close()

    asyncio.run(make())
    kafka.settings["SPANLOOM_KAFKA__SOURCE_TOPIC"] = name


def outcome(kafka: Installation, name: str, code: int | None = 0) -> dict[str, Any]:
    done = kafka.run("topics", "--json")
    assert code in (None, done.returncode)
    (found,) = [each for each in json.loads(done.stdout) if each["topic"] == name]
    assert isinstance(found, dict)
    return found


def test_a_source_topic_of_the_operators_own_is_no_error(kafka_only: Installation) -> None:
    own_source_topic(
        kafka_only,
        "otlp_of_ours",
        PARTITIONS + 3,
        retention_ms="86400000",
        compression_type="gzip",
        max_message_bytes="20971520",
        cleanup_policy="delete",
        retention_bytes="1000000000",
    )
    found = outcome(kafka_only, "otlp_of_ours")
    assert found["problems"] == []
    assert found["differences"] == [f"{PARTITIONS + 3} partitions, not {PARTITIONS}"]
    assert "no harm" in kafka_only.spanloom("topics")


def test_what_harms_is_named_with_the_command_that_mends_it(kafka_only: Installation) -> None:
    own_source_topic(
        kafka_only, "otlp_of_ours", PARTITIONS, cleanup_policy="compact", max_message_bytes="1048588"
    )
    assert "nothing of them was changed" in kafka_only.spanloom("topics", code=2)
    found = outcome(kafka_only, "otlp_of_ours", code=None)
    assert [each["mend"].split()[-1] for each in found["problems"]] == [
        "cleanup.policy=delete",
        "max.message.bytes=10485760",
    ]
    # A command is a line, to be copied.
    printed = [line.strip() for line in kafka_only.run("topics").stdout.splitlines()]
    assert all(each["mend"] in printed for each in found["problems"])


def test_nobody_is_told_to_delete_topics_that_hold_something(kafka_only: Installation) -> None:
    kafka_only.settings["SPANLOOM_KAFKA__PARTITIONS"] = "5"
    sentence = kafka_only.spanloom("worker", code=1)
    assert "has 4 partitions, but SPANLOOM_KAFKA__PARTITIONS says 5: set it to 4" in sentence
    assert "`spanloom lag`" in sentence
    assert "delete" not in sentence


def lag(kafka: Installation) -> dict[str, int]:
    return {each["topic"]: each["lag"] for each in json.loads(kafka.spanloom("lag", "--json"))}


def test_lag_is_what_workers_have_not_read(installation: Installation) -> None:
    inner = {"spanloom.span-facts": 0, "spanloom.trace-facts": 0}
    assert lag(installation) == {"otlp_spans": 0, **inner}
    messages = [message(llm(number, 1, session__id="s")) for number in range(1, 8)]
    installation.produce(messages)
    assert lag(installation) == {"otlp_spans": len(messages), **inner}
    installation.worker()
    wait_until(lambda: set(lag(installation).values()) == {0}, "everything to be through", 60)
    installation.wait_for("SELECT sum(span_count) AS n FROM sessions", [{"n": len(messages)}])
    assert f"{0:12,} of {len(messages)}" in installation.spanloom("lag")


def test_lag_of_topics_that_are_not_there_is_one_sentence(kafka_only: Installation) -> None:
    kafka_only.settings["SPANLOOM_KAFKA__SOURCE_TOPIC"] = "nowhere"
    assert "topic nowhere does not exist: run `spanloom topics` first" in kafka_only.spanloom("lag", code=1)


def test_workers_do_without_the_topic_of_requests_and_not_without_the_others(
    kafka_only: Installation,
) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka_only.bootstrap, partitions=PARTITIONS)
    topics.delete(kafka_only, FORGET_REQUESTS)
    asyncio.run(check(settings))
    assert outcome(kafka_only, FORGET_REQUESTS)["created"]
    topics.delete(kafka_only, DEAD_LETTERS)
    with pytest.raises(TopicError, match="run `spanloom topics` first"):
        asyncio.run(check(settings))
