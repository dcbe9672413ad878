"""Producing: whole lists of records, and every one acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from aiokafka import AIOKafkaClient, AIOKafkaProducer
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, UnknownError, UnsupportedVersionError

from spanloom.kafka.connection import connection
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import MAX_MESSAGE_BYTES

logger = logging.getLogger("spanloom.kafka")

# Kafka's default limit is 1,048,588 bytes a batch. Only a dead letter may be larger, its topic takes more.
_BATCH_BYTES = 900_000
_RECORD_OVERHEAD = 100

_STOP_DEADLINE = 5.0  # seconds


class Record(NamedTuple):
    """A record to be produced; a `value` of None is a tombstone, a `timestamp` (ms) of None is now."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int | None = None


class Appended(NamedTuple):
    """Records that were acknowledged together, in a row."""

    partition: int
    offset: int
    """Of the first one; negative where Kafka does not say."""
    records: int


async def started_producer(settings: KafkaSettings, **options: Any) -> AIOKafkaProducer:
    """Return a producer that waits for all replicas, idempotent unless the setting or the broker says no.

    Args:
        settings: where Kafka is.
        options: further arguments of the producer.

    Raises:
        KafkaError: Kafka can't be reached.
    """
    try:
        return await _started(settings, settings.idempotent, options)
    except (UnknownError, UnsupportedVersionError, IncompatibleBrokerVersion):
        logger.warning(
            "the broker knows no idempotent producers: producing without"
            " (SPANLOOM_KAFKA__IDEMPOTENT=false says so beforehand)"
        )
        return await _started(settings, False, options)


async def _started(settings: KafkaSettings, idempotent: bool, options: dict[str, Any]) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=idempotent,
        # aiokafka packs lz4 at its highest level, at ten times the CPU time and with a worse result.
        compression_type="zstd",
        **options,
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def answers(producer: AIOKafkaProducer, deadline: float) -> bool:
    """Whether Kafka gives a producer fresh metadata within `deadline` seconds."""
    with contextlib.suppress(TimeoutError, KafkaError):
        return bool(await asyncio.wait_for(producer.client.force_metadata_update(), deadline))
    return False


async def abandon(producer: AIOKafkaProducer) -> None:
    """Drop what a producer still holds, which it would try to send for ever, and close its connections."""
    with contextlib.suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(producer.client.close(), 1)
        await asyncio.wait_for(producer._sender.close(), 1)


T = TypeVar("T")


class Retry(Protocol):
    """Repeats an operation for as long as Kafka is out of reach."""

    async def __call__(self, operation: Callable[[], Awaitable[T]], /) -> T: ...


class _Sent(NamedTuple):
    """A batch that aiokafka has taken; the future knows where it stands once it is acknowledged."""

    partition: int
    records: int
    future: asyncio.Future[Any]


class Producer:
    """Produces whole lists of records and returns when every one of them is acknowledged.

    While Kafka, or a partition's leader, is out of reach it tries again for as long as it takes, in order; with
    idempotence (by setting) without duplicates. Batches are built here (`create_batch`): a record costs a tenth of
    what `send` costs.

    Args:
        settings: where Kafka is.
        retry: waits where aiokafka gives up waiting for room or for metadata; nothing was sent then. None: the producer
            gives up with it, after 40 s.
    """

    def __init__(self, settings: KafkaSettings, retry: Retry | None) -> None:
        self._settings = settings
        self._retry = retry
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaError: Kafka can't be reached.
        """
        self._producer = await started_producer(
            self._settings,
            client_id="spanloom-worker",
            max_batch_size=MAX_MESSAGE_BYTES,
            max_request_size=MAX_MESSAGE_BYTES,
        )
        if self._retry is not None:
            # By default a batch is given up after 40 s without a leader, and without idempotence after any 40 s.
            self._producer._message_accumulator._batch_ttl = math.inf

    async def stop(self) -> None:
        """Disconnect. What is not acknowledged after some seconds is given up: its batch is not either."""
        if self._producer is None:
            return
        try:
            await asyncio.wait_for(self._producer.stop(), _STOP_DEADLINE)
        except (TimeoutError, KafkaError):
            await abandon(self._producer)

    @property
    def client(self) -> AIOKafkaClient:
        """The connection, for questions."""
        assert self._producer is not None, "start() first"
        return self._producer.client

    async def answers(self, deadline: float) -> bool:
        """Whether Kafka gives fresh metadata within `deadline` seconds."""
        return self._producer is not None and await answers(self._producer, deadline)

    async def produce(self, topic: str, records: Iterable[Record]) -> list[Appended]:
        """Produce all records and wait until all are acknowledged; returns where, each partition in order.

        Raises:
            KafkaError: Kafka refused a record for good.
        """
        assert self._producer is not None, "start() first"
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        sent: list[_Sent] = []
        for partition, some in by_partition.items():
            sent += await self._send(topic, partition, some)
        appended = []
        if sent:
            # Every acknowledgement is looked at: one that failed fails the checkpoint.
            outcomes = await asyncio.gather(*(each.future for each in sent), return_exceptions=True)
            for each, outcome in zip(sent, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                appended.append(Appended(each.partition, outcome.offset, each.records))
        return appended

    async def _send(self, topic: str, partition: int, records: list[Record]) -> list[_Sent]:
        assert self._producer is not None
        sent: list[_Sent] = []
        batch, batch_bytes = self._producer.create_batch(), 0
        for record in records:
            size = len(record.key or b"") + len(record.value or b"") + _RECORD_OVERHEAD
            if batch_bytes and batch_bytes + size > _BATCH_BYTES:
                sent.append(await self._queued(batch, topic, partition))
                batch, batch_bytes = self._producer.create_batch(), 0
            added = batch.append(
                key=record.key, value=record.value, timestamp=record.timestamp, headers=list(record.headers)
            )
            if added is None:
                raise ValueError(f"a record for {topic} is larger than {MAX_MESSAGE_BYTES:,} bytes")
            batch_bytes += size
        if batch_bytes:
            sent.append(await self._queued(batch, topic, partition))
        return sent

    async def _queued(self, batch: Any, topic: str, partition: int) -> _Sent:
        """Hand a batch to aiokafka, which has not taken it where this fails."""
        producer = self._producer
        assert producer is not None

        async def send() -> asyncio.Future[Any]:
            sent: asyncio.Future[Any] = await producer.send_batch(batch, topic, partition=partition)
            return sent

        records = batch.record_count()
        return _Sent(partition, records, await (send() if self._retry is None else self._retry(send)))
