"""`spanloom send`: produce the messages of OTLP files to the topic."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from spanloom.commands import otlp_files
from spanloom.commands.otlp_files import NOTHING, FileMessage, Skipped
from spanloom.commands.sending.retiming import last_ends, retimed
from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import PROJECT_HEADER

_BYTES_UNDER_WAY, _MESSAGES_UNDER_WAY = 32 << 20, 1000
"""Sent and not acknowledged yet, at most; with a single message it may be more."""


class SendError(Exception):
    """Nothing more could be sent; the message says what to do."""


class Sent(NamedTuple):
    """What became of the files."""

    messages: int
    """Acknowledged by Kafka."""
    complete: bool
    """Nothing that was named was skipped."""


async def send(
    paths: Sequence[Path],
    kafka: KafkaSettings,
    *,
    topic: str,
    project: str,
    retime: bool,
    progress: Callable[[int], None],
    skipped: Callable[[Skipped], None],
) -> Sent:
    """Send the messages of all files, in their order, and return when all are acknowledged.

    Args:
        paths: files and folders, `-` for standard input.
        kafka: where Kafka is.
        topic: the topic to send to.
        project: the project the spans belong to; '' leaves it to the spans.
        retime: move the spans' times so that the last one of each folder ends now. Everything is read twice.
        progress: called with the number of messages that were acknowledged.
        skipped: called with each thing that is not sent.

    Raises:
        SendError: Kafka can't be reached, or takes no more.
    """
    producer = AIOKafkaProducer(**connection(kafka), acks="all", max_request_size=2**30)
    sender = _Sender(
        producer, topic, [(PROJECT_HEADER, project.encode())] if project else [], progress, skipped
    )
    started = False
    try:
        for each in _retimed(paths) if retime else otlp_files.messages(paths):
            if isinstance(each, Skipped):
                sender.skip(each)
                continue
            if (
                not started
            ):  # not before: where there is nothing to send it does not matter that Kafka is away
                await producer.start()
                started = True
            await sender.send(each)
        await sender.settle()
    except KafkaConnectionError:
        raise SendError(
            f"Kafka at {kafka.bootstrap_servers} can't be reached: start it, or set SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
        ) from None
    finally:
        await producer.stop()
    if not sender.sent and not sender.skips:
        skipped(Skipped("nothing was sent:", NOTHING))
    return Sent(sender.sent, sender.complete and sender.sent > 0)


def _retimed(paths: Sequence[Path]) -> Iterator[FileMessage | Skipped]:
    with tempfile.TemporaryFile() as copy:
        if Path("-") in paths:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        ends = last_ends(otlp_files.messages(paths, cast(BufferedReader, copy)))
        copy.seek(0)
        now = time.time_ns()
        for each in otlp_files.messages(paths, cast(BufferedReader, copy)):
            yield retimed(each, ends, now) if isinstance(each, FileMessage) else each


class _Sender:
    """Sends messages, some of them at once."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        headers: list[tuple[str, bytes]],
        progress: Callable[[int], None],
        skipped: Callable[[Skipped], None],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._headers = headers
        self._progress = progress
        self._skipped = skipped
        self._waiting: list[tuple[str, int, asyncio.Future[Any]]] = []
        self._bytes = 0
        self.sent = 0
        self.skips = 0
        self.complete = True

    def skip(self, skipped: Skipped) -> None:
        """Say that something is not sent."""
        self.skips += 1
        self.complete = self.complete and skipped.harmless
        self._skipped(skipped)

    async def send(self, message: FileMessage) -> None:
        """Send a message; raises SendError where Kafka takes no more."""
        size = len(message.value)
        if self._waiting and self._bytes + size > _BYTES_UNDER_WAY:
            await self.settle()
        try:
            sent = await self._producer.send(self._topic, message.value, headers=self._headers)
        except KafkaError as error:
            self._failed(message.where, size, error)
            return
        self._waiting.append((message.where, size, sent))
        self._bytes += size
        if len(self._waiting) >= _MESSAGES_UNDER_WAY:
            await self.settle()

    async def settle(self) -> None:
        """Wait for the acknowledgements of all that was sent."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        outcomes = await asyncio.gather(*(sent for _, _, sent in waiting), return_exceptions=True)
        for (where, size, _), outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                self._failed(where, size, outcome)
            else:
                self.sent += 1
        self._progress(self.sent)

    def _failed(self, where: str, size: int, error: BaseException) -> None:
        if isinstance(error, MessageSizeTooLargeError):
            self.skip(
                Skipped(
                    where,
                    f"has {size:,} bytes, more than the topic takes: split it, or raise max.message.bytes of topic"
                    f" {self._topic}",
                )
            )
        elif isinstance(error, KafkaError):
            raise SendError(f"{where} could not be sent to {self._topic}: {error}") from None
        else:
            raise error
