"""`spanloom send`: produce OTLP files to the topic."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from spanloom.commands.otlp_files import find, retimed
from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import PROJECT_HEADER


class SendError(Exception):
    """The files could not be sent; the message says what to do."""


async def send(
    paths: Sequence[Path],
    kafka: KafkaSettings,
    *,
    topic: str,
    project: str,
    retime: bool,
    progress: Callable[[int, int], None],
) -> int:
    """Send all files, each as one message, and return how many there were once all are acknowledged.

    Args:
        paths: files and folders.
        kafka: where Kafka is.
        topic: the topic to send to.
        project: the project the spans belong to; '' leaves it to the spans.
        retime: move the spans' times so that the last one of each folder ends now.
        progress: called with (messages sent, messages in all).

    Raises:
        spanloom.commands.otlp_files.FileError, SendError: what is wrong and what to do.
    """
    files = find(paths)
    if retime:
        files = list(retimed(files, time.time_ns()))
    headers = [(PROJECT_HEADER, project.encode())] if project else []
    producer = AIOKafkaProducer(**connection(kafka), acks="all", max_request_size=2**30)
    try:
        await producer.start()
    except KafkaConnectionError:
        await producer.stop()
        raise SendError(
            f"Kafka at {kafka.bootstrap_servers} can't be reached: start it, or set SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
        ) from None
    try:
        for number, file in enumerate(files, 1):
            try:
                await producer.send_and_wait(topic, file.value, headers=headers)
            except MessageSizeTooLargeError:
                raise SendError(
                    f"{file.path} has {len(file.value):,} bytes, more than the topic takes: split it, or raise"
                    f" max.message.bytes of topic {topic}"
                ) from None
            except KafkaError as error:
                raise SendError(f"{file.path} could not be sent to {topic}: {error}") from None
            progress(number, len(files))
    finally:
        await producer.stop()
    return len(files)
