"""Requests to forget: who may write them (the dashboard) needs no right to forget, who works on them is another part.

A request is a record of the topic `spanloom.forget-requests`, JSON: `id`, `who`, `project`, `kind`, `value`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from spanloom.forgetting.selection import KINDS, Selection, SelectionError
from spanloom.kafka.connection import connection
from spanloom.kafka.producer import abandon
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import FORGET_REQUESTS, TopicError, partitions_of

_DEADLINE = 10.0
"""Seconds for a request to be safe in Kafka."""

_STOP = 2.0
"""Seconds to end the connection in order."""

_FIELDS = ("id", "who", "project", "kind", "value")


class NotTaken(Exception):
    """A request may not be in Kafka, and should be made again; one sentence."""


class NoRequest(ValueError):
    """A record is no request; one sentence, without what is in it."""


class Request(NamedTuple):
    """What somebody wants forgotten; `id` names it in the audit."""

    id: str
    who: str
    selection: Selection


def encode(request: Request) -> bytes:
    """Return the record of a request."""
    values = (request.id, request.who, *request.selection)
    return json.dumps(dict(zip(_FIELDS, values, strict=True))).encode()


def decode(record: bytes | None) -> Request:
    """Return the request of a record.

    Raises:
        NoRequest: it is none.
    """
    try:
        found: Any = json.loads(record or b"")
    except (ValueError, RecursionError):
        raise NoRequest("it is no JSON") from None
    if not isinstance(found, dict) or set(found) != set(_FIELDS):
        raise NoRequest("it is no object with the fields of a request")
    if not all(_is_text(found[name]) for name in _FIELDS) or found["kind"] not in KINDS:
        raise NoRequest("its fields are not those of a request")
    try:
        selection = Selection.of(found["project"], found["kind"], found["value"])
    except SelectionError as error:
        raise NoRequest(str(error)) from None
    return Request(found["id"], found["who"], selection)


def _is_text(value: object) -> bool:
    """Whether it is a text, and has no lone surrogate, which JSON can name and nothing else can hold."""
    return isinstance(value, str) and bool(value) and value == value.encode(errors="replace").decode()


class Requests:
    """Writes requests. They are rare, so each has a connection of its own; one is written at a time.

    Args:
        settings: where Kafka is.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._one = asyncio.Lock()

    async def append(self, request: Request) -> None:
        """Write a request; when this returns all replicas have it.

        Raises:
            NotTaken: it may not be there.
        """
        try:
            async with asyncio.timeout(_DEADLINE), self._one:
                # A broker that creates what it is asked about would make a topic with settings of its own.
                await partitions_of(self._settings, FORGET_REQUESTS)
                await self._send(encode(request))
        except TopicError as error:
            raise NotTaken(str(error)) from None
        except (KafkaError, OSError) as error:
            raise NotTaken(
                f"Kafka did not take the request ({type(error).__name__}): make it again later"
            ) from None

    async def _send(self, record: bytes) -> None:
        # One that is sent twice is worked on once, so it need not be an idempotent producer.
        producer = AIOKafkaProducer(**connection(self._settings), acks="all", client_id="spanloom-dashboard")
        try:
            await producer.start()
            await producer.send_and_wait(FORGET_REQUESTS, record, partition=0)
        except BaseException:
            await abandon(producer)
            raise
        finally:
            with contextlib.suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(producer.stop(), _STOP)
