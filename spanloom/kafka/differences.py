"""How a topic that exists differs from what it should be: what harms, the command that mends it, and what does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from spanloom.kafka.settings import KafkaSettings

COMPACT = "compact"
_POLICY, _LARGEST, _RETENTION = "cleanup.policy", "max.message.bytes", "retention.ms"
IN_SYNC, RETENTION_BYTES, _UNCLEAN = (
    "min.insync.replicas",
    "retention.bytes",
    "unclean.leader.election.enable",
)

ENOUGH_IN_SYNC = 2
"""Copies that must have a record before it is acknowledged, where there are at least three: the loss of a broker then
loses nothing, and stops nothing."""

_BEHIND, _AHEAD = 3 * 24 * 3600 * 1000, 1800 * 1000
"""How far the timestamps of records in inner topics lie behind and ahead of the clock at most, ms: those of the source
records that led to them (`spanloom.agents.consuming.records`)."""

_TIMESTAMP_BOUNDS = {
    "message.timestamp.before.max.ms": _BEHIND,
    "message.timestamp.after.max.ms": _AHEAD,
    "message.timestamp.difference.max.ms": _BEHIND,  # before Kafka 3.6; kept for both
}

HOW_TO_CHANGE_PARTITIONS = (
    "To have another number of partitions, stop what writes to the source topic, wait until `spanloom lag` shows that"
    ' workers have read everything, and go on as docs/operations.md says under "The number of partitions"'
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be; `config` names only what matters."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)
    any_partitions: bool = False
    """Exporters may have made it: nothing depends on the number of its partitions."""
    inner: bool = False
    """Stages write it for each other: their records carry the timestamps of source records."""
    optional: bool = False
    """Workers run without it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is."""

    partitions: int
    copies: int
    """Of the partition that has the fewest."""
    config: Mapping[str, str]
    """All settings that the broker tells; not all brokers tell all."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `mend` is the command against it, or what to do; empty where it does no harm."""

    text: str
    mend: str = ""
    is_risk: bool = False
    """Whether nothing goes wrong before something else does, such as the loss of a broker."""

    @property
    def harms(self) -> bool:
        """Whether spans could be lost or refused, or workers fail, until it is mended."""
        return bool(self.mend) and not self.is_risk


def differences(topic: Topic, found: Found, kafka: KafkaSettings) -> list[Difference]:
    """Return how a topic differs, the harmful differences first."""
    every = [
        *_of_partitions(topic, found, kafka),
        *_of_config(topic, found, kafka),
        *_risks(topic, found, kafka),
    ]
    return sorted(every, key=lambda difference: not difference.harms)


def partitions_differ(topic: Topic, count: int) -> str:
    """The sentence about another number of partitions than the setting has: what to do, without losing anything."""
    return (
        f"topic {topic.name} has {count} partitions, but SPANLOOM_KAFKA__PARTITIONS says {topic.partitions}:"
        f" set it to {count}. {HOW_TO_CHANGE_PARTITIONS}"
    )


def _of_partitions(topic: Topic, found: Found, kafka: KafkaSettings) -> Iterator[Difference]:
    if found.partitions != topic.partitions:
        text = f"{found.partitions} partitions, not {topic.partitions}"
        if topic.any_partitions:
            yield Difference(text)
        else:
            yield Difference(
                text, f"set SPANLOOM_KAFKA__PARTITIONS to {found.partitions}. {HOW_TO_CHANGE_PARTITIONS}"
            )
    if found.copies < kafka.replication_factor:
        yield Difference(f"{found.copies} copies, not {kafka.replication_factor}")


def _of_config(topic: Topic, found: Found, kafka: KafkaSettings) -> Iterator[Difference]:
    def harm(key: str, value: object, why: str) -> Difference:
        return Difference(f"{key} is {found.config[key]}: {why}", _alter(topic.name, key, value, kafka))

    policies = set(found.config.get(_POLICY, "").replace(" ", "").split(",")) - {""}
    if topic.config.get(_POLICY) == COMPACT:
        if policies and policies != {COMPACT}:
            yield harm(_POLICY, COMPACT, "state that does not change for long would be deleted")
    elif COMPACT in policies:
        yield harm(
            _POLICY, "delete", "records without a key are refused, of others only the last of a key stays"
        )

    largest = _number(found, _LARGEST)
    needed = int(topic.config.get(_LARGEST, 0))
    if largest is not None and largest < needed:
        yield harm(_LARGEST, needed, f"records of up to {needed} bytes are written to it")

    if topic.inner:
        retention = _number(found, _RETENTION)
        if retention is not None and 0 <= retention < _BEHIND and "delete" in policies:
            yield harm(
                _RETENTION,
                topic.config.get(_RETENTION, _BEHIND),
                "records are up to three days old when written",
            )
        for key, needed in _TIMESTAMP_BOUNDS.items():
            bound = _number(found, key)
            if bound is not None and 0 <= bound < needed:
                yield harm(key, needed, "records with the timestamps of late spans would be refused")

    in_sync = _number(found, IN_SYNC)
    if in_sync is not None and in_sync > found.copies:
        yield harm(IN_SYNC, found.copies, f"with {found.copies} copies nothing can be written")

    judged = (_POLICY, _LARGEST, _RETENTION, IN_SYNC, RETENTION_BYTES)
    for key, value in topic.config.items():
        if key not in judged and found.config.get(key, value) != value:
            yield Difference(f"{key} is {found.config[key]}, not {value}")


def _risks(topic: Topic, found: Found, kafka: KafkaSettings) -> Iterator[Difference]:
    def risk(key: str, value: object, why: str) -> Difference:
        mend = _alter(topic.name, key, value, kafka)
        return Difference(f"{key} is {found.config[key]}: {why}", mend, is_risk=True)

    in_sync = _number(found, IN_SYNC)
    if in_sync is not None and in_sync < ENOUGH_IN_SYNC < found.copies:
        yield risk(
            IN_SYNC, ENOUGH_IN_SYNC, "a broker may acknowledge what it alone has, and losing it loses that"
        )
    if found.config.get(_UNCLEAN) == "true":
        yield risk(_UNCLEAN, "false", "a broker that was behind may take over, and what it lacks is lost")
    largest_log = _number(found, RETENTION_BYTES)
    if topic.inner and topic.config.get(_POLICY) != COMPACT and largest_log is not None and largest_log >= 0:
        yield risk(RETENTION_BYTES, -1, "beyond that Kafka deletes what workers have not read yet")


def _number(found: Found, key: str) -> int | None:
    try:
        return int(found.config[key])
    except (KeyError, TypeError, ValueError):
        return None


def _alter(topic: str, key: str, value: object, kafka: KafkaSettings) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server {kafka.bootstrap_servers} --alter --entity-type topics"
        f" --entity-name {topic} --add-config {key}={value}"
    )
