"""Dead letters as records: their headers, and reading them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from spanloom.kafka.connection import connection
from spanloom.kafka.ends import bounds
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import DEAD_LETTERS, MAX_MESSAGE_BYTES, PROJECT_HEADER, partitions_of

REASON, TOPIC, PARTITION, OFFSET, CUT = "reason", "topic", "partition", "offset", "cut-from-bytes"
"""The names of headers, besides that of the project: `agents/stages/dead_letters.py` writes them."""

ALWAYS = 1 << 62
"""A time that does not come, ms."""

_AT_ONCE = 200
"""Records that are read at once on the way back from the end."""

_PATIENCE = 30.0
"""Seconds without a record after which the topic counts as not readable."""


class LetterError(Exception):
    """Dead letters can't be read; the message says what to do."""


class Place(NamedTuple):
    """Where a dead letter stands in its topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """What the headers of a dead letter say. Anybody who may write to the topic can write anything into them."""

    place: Place
    time: int
    """When it was written, ms since the epoch."""
    reason: str
    topic: str
    """Where the record was read; empty where no header says so."""
    source: Place | None
    """Partition and offset there."""
    project: bytes | None
    """What the record's own header of the project named."""
    size: int
    """Bytes of the payload, as far as it was kept."""
    cut_from: int | None
    """The bytes it had before it was cut; None where it is whole."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters: those for which all holds that is given. Times in ms since the epoch."""

    reason: str = ""
    """A part of it, in upper or lower case."""
    topic: str = ""
    project: str = ""
    since: int = 0
    until: int = ALWAYS
    places: frozenset[Place] = frozenset()

    def __contains__(self, letter: object) -> bool:
        return (
            isinstance(letter, Letter)
            and self.reason.casefold() in letter.reason.casefold()
            and self.topic in ("", letter.topic)
            and self.project in ("", project_name(letter))
            and self.since <= letter.time < self.until
            and (not self.places or letter.place in self.places)
        )


def project_name(letter: Letter) -> str:
    """The project that the header names, as text; empty where there is none."""
    return (letter.project or b"").decode(errors="replace")


def letter_of(record: Any) -> Letter:
    """Return what a record's headers say, whatever they are."""
    headers = {name: value or b"" for name, value in record.headers}
    partition, offset = _number(headers.get(PARTITION)), _number(headers.get(OFFSET))
    return Letter(
        Place(record.partition, record.offset),
        record.timestamp or 0,
        headers.get(REASON, b"").decode(errors="replace"),
        headers.get(TOPIC, b"").decode(errors="replace"),
        None if partition is None or offset is None else Place(partition, offset),
        headers.get(PROJECT_HEADER),
        len(record.value or b""),
        _number(headers[CUT]) or 0 if CUT in headers else None,
    )


def _number(header: bytes | None) -> int | None:
    return int(header) if header and header.isdigit() and len(header) < 20 else None


class DeadLetters:
    """Reads the topic. A context; what is written after it was entered is not seen.

    Raises:
        TopicError: the topic is not there.
        LetterError: it can't be read to its end.
        KafkaError: Kafka can't be reached.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer = AIOKafkaConsumer(
            **connection(settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES + (1 << 20),
        )
        self._bounds: dict[int, tuple[int, int]] = {}

    async def __aenter__(self) -> DeadLetters:
        partitions = [
            TopicPartition(DEAD_LETTERS, number)
            for number in range(await partitions_of(self._settings, DEAD_LETTERS))
        ]
        try:
            await self._consumer.start()
            found = await bounds(self._consumer, partitions)
            self._bounds = {each.partition: places for each, places in found.items()}
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def newest(self, wanted: Wanted, limit: int) -> list[Letter]:
        """Return the newest letters that are wanted, `limit` at most, the newest first."""
        found: list[Letter] = []
        for partition, (begin, end) in self._bounds.items():
            some: list[Letter] = []
            behind = end
            while behind > begin and len(some) < limit:
                start = max(begin, behind - _AT_ONCE)
                read = [letter_of(record) async for record in self._range(partition, start, behind)]
                some += [letter for letter in reversed(read) if letter in wanted]
                behind = start
            found += some[:limit]
        return sorted(found, key=lambda letter: (letter.time, letter.place), reverse=True)[:limit]

    async def all(self, wanted: Wanted) -> AsyncIterator[tuple[Letter, bytes]]:
        """Yield the letters that are wanted with their payloads, the oldest first."""
        if wanted.places:
            ranges = [(place.partition, place.offset, place.offset + 1) for place in sorted(wanted.places)]
        else:
            ranges = [(partition, begin, end) for partition, (begin, end) in self._bounds.items()]
        for partition, start, end in ranges:
            begin, last = self._bounds.get(partition, (0, 0))
            async for record in self._range(partition, max(start, begin), min(end, last)):
                letter = letter_of(record)
                if letter in wanted:
                    yield letter, record.value or b""

    async def one(self, place: Place) -> tuple[Letter, Sequence[tuple[str, bytes]], bytes] | None:
        """Return the letter at a place with all its headers and its payload; None where there is none."""
        begin, end = self._bounds.get(place.partition, (0, 0))
        found = None
        if begin <= place.offset < end:
            async for record in self._range(place.partition, place.offset, place.offset + 1):
                found = letter_of(record), record.headers, record.value or b""
        return found

    async def _range(self, partition: int, start: int, end: int) -> AsyncIterator[Any]:
        """Yield the records from `start` up to `end`."""
        if start >= end:
            return
        place = TopicPartition(DEAD_LETTERS, partition)
        self._consumer.assign([place])
        self._consumer.seek(place, start)
        last = time.monotonic()
        while await self._consumer.position(place) < end:
            for record in (await self._consumer.getmany(place, timeout_ms=500)).get(place, ()):
                last = time.monotonic()
                if record.offset >= end:
                    return
                yield record
            if time.monotonic() - last > _PATIENCE:
                raise LetterError(
                    f"partition {partition} of {DEAD_LETTERS} gives nothing from offset"
                    f" {await self._consumer.position(place)} on: look whether Kafka is well"
                )
