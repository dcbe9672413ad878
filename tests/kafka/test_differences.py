"""Which differences of a topic harm, and how each is mended."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace

import pytest

from spanloom.kafka.differences import Difference, Found, Topic, differences
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import (
    DEAD_LETTERS,
    SESSIONS_CHANGELOG,
    SPAN_FACTS,
    TRACE_FACTS,
    TRACES_CHANGELOG,
    topics,
)

KAFKA = KafkaSettings(partitions=8, bootstrap_servers="kafka:9092")
TOPICS = {topic.name: topic for topic in topics(KAFKA)}
SOURCE = "otlp_spans"


def found(topic: Topic, **config: str) -> Found:
    """The topic as it was made, with other settings; `_` for a dot."""
    changed = {key.replace("_", "."): value for key, value in config.items()}
    return Found(topic.partitions, 1, {**topic.config, **changed})


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_as_it_was_made_does_not_differ(name: str) -> None:
    assert differences(TOPICS[name], found(TOPICS[name]), KAFKA) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (SOURCE, {"retention_ms": "3600000"}),
        (SOURCE, {"retention_bytes": "1000000000", "cleanup_policy": "delete"}),
        (SOURCE, {"compression_type": "lz4"}),
        (SOURCE, {"max_message_bytes": "20971520"}),
        (SOURCE, {"message_timestamp_type": "LogAppendTime"}),
        (SOURCE, {"message_timestamp_after_max_ms": "60000"}),
        (SOURCE, {"segment_bytes": "1000000"}),
        (SOURCE, {"min_insync_replicas": "1"}),
        (DEAD_LETTERS, {"retention_ms": "2592000000"}),
        (SPAN_FACTS, {"retention_ms": "-1"}),
        (SPAN_FACTS, {"retention_ms": "2592000000", "compression_type": "zstd"}),
        (SPAN_FACTS, {"message_timestamp_before_max_ms": "9223372036854775807"}),
        (TRACES_CHANGELOG, {"retention_ms": "60000"}),
        (TRACES_CHANGELOG, {"segment_bytes": "1073741824", "min_cleanable_dirty_ratio": "0.5"}),
    ],
)
def test_harmless_differences(name: str, change: dict[str, str]) -> None:
    assert not any(each.harms for each in differences(TOPICS[name], found(TOPICS[name], **change), KAFKA))


@pytest.mark.parametrize(
    ("name", "change", "mended"),
    [
        (SOURCE, {"cleanup_policy": "compact"}, "cleanup.policy=delete"),
        (SOURCE, {"cleanup_policy": "compact,delete"}, "cleanup.policy=delete"),
        (SOURCE, {"max_message_bytes": "1048588"}, "max.message.bytes=10485760"),
        (SOURCE, {"min_insync_replicas": "2"}, "min.insync.replicas=1"),
        (DEAD_LETTERS, {"max_message_bytes": "1048588"}, "max.message.bytes=10485760"),
        (DEAD_LETTERS, {"cleanup_policy": "compact"}, "cleanup.policy=delete"),
        (SPAN_FACTS, {"max_message_bytes": "500000"}, "max.message.bytes=1048588"),
        (SPAN_FACTS, {"cleanup_policy": "compact"}, "cleanup.policy=delete"),
        (SPAN_FACTS, {"retention_ms": "86400000"}, "retention.ms=604800000"),
        (
            SPAN_FACTS,
            {"message_timestamp_before_max_ms": "3600000"},
            "message.timestamp.before.max.ms=259200000",
        ),
        (SPAN_FACTS, {"message_timestamp_after_max_ms": "1000"}, "message.timestamp.after.max.ms=1800000"),
        (TRACES_CHANGELOG, {"cleanup_policy": "delete"}, "cleanup.policy=compact"),
        (TRACES_CHANGELOG, {"cleanup_policy": "compact,delete"}, "cleanup.policy=compact"),
        (TRACES_CHANGELOG, {"max_message_bytes": "1000"}, "max.message.bytes=1048588"),
    ],
)
def test_what_harms_is_mended_by_one_command(name: str, change: dict[str, str], mended: str) -> None:
    (difference,) = differences(TOPICS[name], found(TOPICS[name], **change), KAFKA)
    assert difference.harms
    key = next(iter(change)).replace("_", ".")
    assert difference.text.startswith(f"{key} is {next(iter(change.values()))}: ")
    assert shlex.split(difference.mend) == [
        *("kafka-configs.sh", "--bootstrap-server", "kafka:9092", "--alter", "--entity-type", "topics"),
        *("--entity-name", name, "--add-config", mended),
    ]


def test_the_source_topic_may_have_any_number_of_partitions() -> None:
    for name in (SOURCE, DEAD_LETTERS):
        assert differences(TOPICS[name], replace(found(TOPICS[name]), partitions=30), KAFKA) == [
            Difference(f"30 partitions, not {TOPICS[name].partitions}")
        ]


def test_another_number_of_partitions_elsewhere_is_drained_before_it_is_changed() -> None:
    (difference,) = differences(TOPICS[SPAN_FACTS], replace(found(TOPICS[SPAN_FACTS]), partitions=12), KAFKA)
    assert difference.harms
    assert difference.mend.startswith("set SPANLOOM_KAFKA__PARTITIONS to 12. ")
    assert "`spanloom lag`" in difference.mend


def test_fewer_copies_are_said_and_are_no_error() -> None:
    three = KafkaSettings(partitions=8, replication_factor=3)
    assert differences(TOPICS[SOURCE], found(TOPICS[SOURCE]), three) == [Difference("1 copies, not 3")]


@pytest.mark.parametrize("name", TOPICS)
def test_of_three_copies_two_have_what_is_acknowledged(name: str) -> None:
    """Kafka's own default is one: the broker that has it may be lost before the others have it."""
    three = KAFKA.model_copy(update={"replication_factor": 3})
    (topic,) = [topic for topic in topics(three) if topic.name == name]
    assert topic.config["min.insync.replicas"] == "2"
    assert not differences(topic, Found(topic.partitions, 3, topic.config), three)
    (risk,) = differences(
        topic, Found(topic.partitions, 3, topic.config | {"min.insync.replicas": "1"}), three
    )
    assert risk.is_risk
    assert not risk.harms, "nothing is lost yet: commands go on"
    assert risk.mend.endswith(f"--entity-name {name} --add-config min.insync.replicas=2")


@pytest.mark.parametrize("copies", [1, 2])
def test_with_fewer_copies_losing_a_broker_stops_nothing(copies: int) -> None:
    few = KAFKA.model_copy(update={"replication_factor": copies})
    for topic in topics(few):
        assert "min.insync.replicas" not in topic.config
        config = topic.config | {"min.insync.replicas": "1"}
        assert not differences(topic, Found(topic.partitions, copies, config), few)


@pytest.mark.parametrize(
    ("names", "change", "mended"),
    [
        (TOPICS, {"unclean_leader_election_enable": "true"}, "unclean.leader.election.enable=false"),
        ((SPAN_FACTS, TRACE_FACTS), {"retention_bytes": "1000000000"}, "retention.bytes=-1"),
    ],
)
def test_what_may_lose_something_is_a_risk(names: Iterable[str], change: dict[str, str], mended: str) -> None:
    for name in names:
        (risk,) = differences(TOPICS[name], found(TOPICS[name], **change), KAFKA)
        assert risk.is_risk
        assert not risk.harms
        assert risk.mend.split()[-1] == mended
    for name in {SOURCE, DEAD_LETTERS, TRACES_CHANGELOG, SESSIONS_CHANGELOG} - set(names):
        assert not differences(TOPICS[name], found(TOPICS[name], **change), KAFKA)


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("value", ["", "x", "1.5"])
def test_settings_that_a_broker_tells_in_another_way_are_no_error(name: str, value: str) -> None:
    given = found(
        TOPICS[name],
        max_message_bytes=value,
        retention_ms=value,
        min_insync_replicas=value,
        retention_bytes=value,
    )
    assert not any(each.harms for each in differences(TOPICS[name], given, KAFKA))
    assert differences(TOPICS[name], Found(TOPICS[name].partitions, 1, {}), KAFKA) == []
