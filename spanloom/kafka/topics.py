"""The topics: their names and settings, and checks that they exist as they should."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from spanloom.kafka.connection import connection
from spanloom.kafka.differences import (
    COMPACT,
    ENOUGH_IN_SYNC,
    IN_SYNC,
    RETENTION_BYTES,
    Difference,
    Found,
    Topic,
    differences,
    partitions_differ,
)
from spanloom.kafka.settings import KafkaSettings

MAX_MESSAGE_BYTES = 10 * 2**20
"""The largest message that the topics of OTLP messages and dead letters take, in bytes: spans may be large."""

PROJECT_HEADER = "spanloom-project"
"""The header that names the project of a message's spans."""

REPLAY_HEADER = "spanloom-replay"
"""The header of messages whose spans are stored already: what they say of their rows is believed."""

SPAN_FACTS = "spanloom.span-facts"
TRACE_FACTS = "spanloom.trace-facts"
DEAD_LETTERS = "spanloom.dead-letters"
FORGET_REQUESTS = "spanloom.forget-requests"
TRACES_CHANGELOG = "spanloom.traces-changelog"
SESSIONS_CHANGELOG = "spanloom.sessions-changelog"

_INNER_MESSAGE_BYTES = 1_048_588
"""The largest record that stages write for each other: what Kafka takes by default, bytes."""

_WEEK = 7 * 24 * 3600 * 1000

# A span may be large: what an exporter could send must fit.
# State that is deleted by a tombstone must be gone for good only after every worker could have read the
# tombstone; a day is Kafka's default. Small segments keep a changelog close to the size of its state.
# Kafka's own defaults are named where a cluster may have others that lose what was not read yet.
_LARGE = {"max.message.bytes": str(MAX_MESSAGE_BYTES), "cleanup.policy": "delete"}
_INNER = {
    "max.message.bytes": str(_INNER_MESSAGE_BYTES),
    "cleanup.policy": "delete",
    "retention.ms": str(_WEEK),
    RETENTION_BYTES: "-1",
}
# A request waits here until somebody works on it, and names a session or a user: a week, and no longer.
_REQUESTS = {"cleanup.policy": "delete", "retention.ms": str(_WEEK), RETENTION_BYTES: "-1"}
_COMPACTED = {
    "max.message.bytes": str(_INNER_MESSAGE_BYTES),
    "cleanup.policy": COMPACT,
    "segment.bytes": "67108864",
    "min.cleanable.dirty.ratio": "0.3",
    # What is forgotten must not stay because nothing else happens: after a day Kafka compacts whatever there is.
    "max.compaction.lag.ms": "86400000",
}


class TopicError(Exception):
    """The topics are not as they should be; the message says what to do."""


def topics(settings: KafkaSettings) -> list[Topic]:
    """Return all topics of an installation."""
    # Kafka's default is 1: then "all replicas have it" may mean one.
    safe = {IN_SYNC: str(ENOUGH_IN_SYNC)} if settings.replication_factor > ENOUGH_IN_SYNC else {}
    large, inner, compacted, requests = (
        {**config, **safe} for config in (_LARGE, _INNER, _COMPACTED, _REQUESTS)
    )
    return [
        Topic(settings.source_topic, settings.partitions, large, any_partitions=True),
        Topic(SPAN_FACTS, settings.partitions, inner, inner=True),
        Topic(TRACE_FACTS, settings.partitions, inner, inner=True),
        Topic(TRACES_CHANGELOG, settings.partitions, compacted, inner=True),
        Topic(SESSIONS_CHANGELOG, settings.partitions, compacted, inner=True),
        Topic(DEAD_LETTERS, 1, large, any_partitions=True),
        Topic(FORGET_REQUESTS, 1, requests, any_partitions=True, optional=True),
    ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `ensure` found or did for one topic."""

    topic: str
    created: bool
    differences: tuple[Difference, ...] = ()

    @property
    def harmed(self) -> bool:
        """Whether one of the differences does harm."""
        return any(difference.harms for difference in self.differences)


async def ensure(settings: KafkaSettings) -> list[Outcome]:
    """Create the topics that are missing and say how the others differ; change nothing that exists.

    Raises:
        TopicError: a topic could not be created.
        KafkaError: Kafka can't be reached.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        wanted = topics(settings)
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in existing]
        created = await _create(admin, missing, settings.replication_factor)
        outcomes = [Outcome(name, True) for name in created]
        outcomes += [
            Outcome(topic.name, False, tuple(await _differences(admin, topic, settings)))
            for topic in wanted
            if topic.name not in created
        ]
    finally:
        await admin.close()
    return outcomes


async def check(settings: KafkaSettings) -> None:
    """Make sure that every topic that workers need is there with the right number of partitions.

    Raises:
        TopicError: one is missing or has another number of partitions.
        KafkaError: Kafka can't be reached.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        # Asking about a topic that is not there creates it on some brokers, so only existing ones are described.
        existing = set(await admin.list_topics())
        counts = await _partition_counts(admin, [t.name for t in topics(settings) if t.name in existing])
    finally:
        await admin.close()
    for topic in topics(settings):
        count = counts.get(topic.name, 0)
        if not count and topic.optional:
            continue
        if not count:
            raise _missing(topic.name)
        check_partitions(topic, count)


def check_partitions(topic: Topic, count: int) -> None:
    """Make sure that a topic has the right number of partitions: state, changelogs and keys are divided by it.

    Raises:
        TopicError: it has another one.
    """
    if count != topic.partitions and not topic.any_partitions:
        raise TopicError(partitions_differ(topic, count))


def _missing(topic: str) -> TopicError:
    return TopicError(f"topic {topic} does not exist: run `spanloom topics` first")


async def largest_message(settings: KafkaSettings) -> int:
    """Return how many bytes a message of the source topic may have.

    Raises:
        TopicError: it is not there.
        KafkaError: Kafka can't be reached.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        if settings.source_topic not in await admin.list_topics():
            raise _missing(settings.source_topic)
        config = await _config(admin, settings.source_topic)
    finally:
        await admin.close()
    return int(config.get("max.message.bytes", MAX_MESSAGE_BYTES))


async def partitions_of(settings: KafkaSettings, topic: str) -> int:
    """Return how many partitions a topic has.

    Raises:
        TopicError: it is not there.
        KafkaError: Kafka can't be reached.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        # Asked for one that is not there some brokers make it.
        if topic not in await admin.list_topics():
            raise _missing(topic)
        return (await _partition_counts(admin, [topic])).get(topic, 0)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, missing: Iterable[Topic], replication: int) -> list[str]:
    """Create topics and return the names of those that nobody else created meanwhile."""
    new = [
        NewTopic(topic.name, topic.partitions, replication, topic_configs=dict(topic.config))
        for topic in missing
    ]
    if not new:
        return []
    response = await admin.create_topics(new)
    created = []
    for name, code, *detail in response.topic_errors:
        error = for_code(code)
        if code == 0:
            created.append(name)
        elif error is not TopicAlreadyExistsError:
            reason = next((text for text in detail if text), error.description or error.__name__)
            raise TopicError(f"topic {name} could not be created: {reason}")
    return created


async def _differences(admin: AIOKafkaAdminClient, topic: Topic, settings: KafkaSettings) -> list[Difference]:
    (described,) = await admin.describe_topics([topic.name])
    partitions = described["partitions"]
    copies = min((len(partition["replicas"]) for partition in partitions), default=0)
    unread: list[Difference] = []
    try:
        config = await _config(admin, topic.name)
    except KafkaError as error:
        config = {}
        unread = [
            Difference(
                f"its settings can't be read ({type(error).__name__})",
                "allow the user of these commands to describe the settings of topics (DescribeConfigs)",
            )
        ]
    return unread + differences(topic, Found(len(partitions), copies, config), settings)


async def _partition_counts(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    if not names:
        return {}  # no names would mean all
    described = await admin.describe_topics(names)
    return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def _config(admin: AIOKafkaAdminClient, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for response in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]):
        for resource in response.resources:
            found.update({entry[0]: entry[1] for entry in resource[4]})
    return found
