"""Dead letters are sent once more: to the topic that they came from, as they were."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from spanloom.kafka.dead_letters import DeadLetters, Letter, Place, Wanted
from spanloom.kafka.producer import started_producer
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import (
    DEAD_LETTERS,
    PROJECT_HEADER,
    SESSIONS_CHANGELOG,
    SPAN_FACTS,
    TRACE_FACTS,
    TRACES_CHANGELOG,
    largest_message,
)

_OWN_TOPICS = (SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG, SESSIONS_CHANGELOG)

_BYTES_UNDER_WAY, _LETTERS_UNDER_WAY = 32 << 20, 1000
"""Sent and not acknowledged yet, at most; with a single letter it may be more."""


@dataclass(slots=True)
class Replayed:
    """What became of the letters that were wanted."""

    sent: int = 0
    """Acknowledged by Kafka; with a dry run, that would be sent."""
    skipped: Counter[str] = field(default_factory=Counter)
    """How many were not sent, by reason."""
    failed: int = 0
    """How many of those Kafka refused."""
    seen: set[Place] = field(default_factory=set)
    """Of the places that were named, those where there is a letter."""


def why_not(letter: Letter, source_topic: str, named_topic: str) -> str:
    """Return why a letter is not sent once more, or nothing.

    Args:
        letter: the letter.
        source_topic: the one that workers read.
        named_topic: the one that was asked for; empty where none was.
    """
    if letter.cut_from is not None:
        return f"only the first {letter.size:,} of its bytes were kept"
    if not letter.topic:
        return "no header says where it came from"
    if letter.topic in _OWN_TOPICS:
        return f"it came from {letter.topic}, which only workers write: they make such records anew"
    if letter.topic == DEAD_LETTERS:
        return "it came from the dead letters"
    if letter.topic not in (source_topic, named_topic):
        return f"it came from {letter.topic}, which workers don't read: name it with --topic to send it there"
    if not letter.size:
        return "it is empty"
    return ""


async def replay(
    kafka: KafkaSettings,
    wanted: Wanted,
    *,
    dry_run: bool,
    each: Callable[[Letter, str], None],
) -> Replayed:
    """Send the letters that are wanted to the topics they came from, with the project's header as it was.

    What is written to the dead letters meanwhile is not read, so that a letter which can't be read again does not go in
    a circle; of letters with the same topic, project and payload the first is sent. So replaying twice sends each
    payload twice at most, and spans count once however often they are sent.

    Args:
        kafka: where Kafka is.
        wanted: which letters.
        dry_run: only say what would be done.
        each: called with each letter and why it is not sent, or nothing.

    Raises:
        LetterError, TopicError, KafkaError: nothing more could be read or sent.
    """
    replaying = _Replaying(kafka, wanted, each)
    largest = await largest_message(kafka)
    producer = (
        None
        if dry_run
        else await started_producer(kafka, client_id="spanloom-replay", max_request_size=2 * largest)
    )
    try:
        async with DeadLetters(kafka) as letters:
            async for letter, payload in letters.all(wanted):
                await replaying.take(producer, letter, payload)
        await replaying.settle()
    finally:
        if producer is not None:
            await producer.stop()
    return replaying.done


class _Replaying:
    def __init__(self, kafka: KafkaSettings, wanted: Wanted, each: Callable[[Letter, str], None]) -> None:
        self._kafka = kafka
        self._wanted = wanted
        self._each = each
        self._digests: set[bytes] = set()
        self._waiting: list[tuple[Letter, asyncio.Future[Any]]] = []
        self._bytes = 0
        self.done = Replayed()

    async def take(self, producer: AIOKafkaProducer | None, letter: Letter, payload: bytes) -> None:
        """Send a letter, or say why not; without a producer only say so."""
        if self._wanted.places:
            self.done.seen.add(letter.place)
        reason = why_not(letter, self._kafka.source_topic, self._wanted.topic) or self._twice(letter, payload)
        if reason:
            self._skip(letter, reason)
            return
        if producer is None:
            self._sent(letter)
            return
        if self._waiting and self._bytes + letter.size > _BYTES_UNDER_WAY:
            await self.settle()
        headers = [] if letter.project is None else [(PROJECT_HEADER, letter.project)]
        try:
            sent = await producer.send(letter.topic, payload, headers=headers)
        except MessageSizeTooLargeError as error:
            self._refused(letter, error)
            return
        self._waiting.append((letter, sent))
        self._bytes += letter.size
        if len(self._waiting) >= _LETTERS_UNDER_WAY:
            await self.settle()

    async def settle(self) -> None:
        """Wait for the acknowledgements of all that was sent."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        outcomes = await asyncio.gather(*(sent for _, sent in waiting), return_exceptions=True)
        for (letter, _), outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, MessageSizeTooLargeError):
                self._refused(letter, outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                self._sent(letter)

    def _twice(self, letter: Letter, payload: bytes) -> str:
        digest = blake2b(payload, digest_size=16)
        digest.update(b"\0%b\0%b" % (letter.topic.encode(), letter.project or b""))
        if digest.digest() in self._digests:
            return "another one is the same"
        self._digests.add(digest.digest())
        return ""

    def _sent(self, letter: Letter) -> None:
        self.done.sent += 1
        self._each(letter, "")

    def _skip(self, letter: Letter, reason: str) -> None:
        self.done.skipped[reason] += 1
        self._each(letter, reason)

    def _refused(self, letter: Letter, error: KafkaError) -> None:
        self.done.failed += 1
        self._skip(letter, f"topic {letter.topic} takes no message of its size ({type(error).__name__})")
