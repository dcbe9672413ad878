"""Records as a stage reads them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

MAX_AHEAD = 1800 * 1000
"""The furthest a record's timestamp may lie in the future, ms; a later one is cut to it. One such record moves the
stream clock for good, and state would be forgotten: Kafka 4 refuses more than an hour by default (also from us), other
brokers and settings do not."""

MAX_BEHIND = 3 * 24 * 3600 * 1000
"""The furthest back the timestamp of a record that we produce may lie, ms: Kafka deletes by timestamps, after a week by
default, and must not delete what was not read yet."""

Partition = tuple[str, int]
"""A topic and the number of a partition of it."""


class SourceRecord(NamedTuple):
    """A record read from Kafka; `timestamp` in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    headers: dict[str, bytes]


def wall_clock() -> int:
    """Return the time now, milliseconds since the epoch."""
    return round(time.time() * 1000)


def source_records(messages: Iterable[Any]) -> list[SourceRecord]:
    """Return the records that Faust's messages hold."""
    now = wall_clock()
    return [
        SourceRecord(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            timestamp=_timestamp(message.timestamp, now),
            value=message.value or b"",
            headers=dict(message.headers or ()),
        )
        for message in messages
    ]


def _timestamp(seconds: float | None, now: int) -> int:
    """A record's timestamp in ms; the time now for one that has none, as old clients send them."""
    return min(round(seconds * 1000), now + MAX_AHEAD) if seconds and seconds > 0 else now


def dated(newest: int, now: int) -> int:
    """Return the timestamp of what a batch leads to, ms: the newest of its own, `newest`; `now` is the wall clock, ms.

    So the stream clock of the next stage is that of the source, however long ago that was, and a worker that catches up
    after hours finds nothing late.
    """
    return max(newest, now - MAX_BEHIND)
