"""Appending to Kafka: what this has returned from is stored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from spanloom.kafka.producer import abandon, answers, started_producer
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import TopicError, largest_message
from spanloom.receiver.refusals import RETRY_SECONDS, Reason, Refused
from spanloom.receiver.sharing.room import Held
from spanloom.retry import retry, warn_once

logger = logging.getLogger("spanloom.receiver")

RECORD_OVERHEAD = 4096
"""Bytes that Kafka adds to a message at most: the batch around it, its headers, packing what can't be packed."""

WATCH = 5.0
"""Seconds between two checks whether Kafka answers, and within which it must."""


class Connection(NamedTuple):
    """A producer, started, that waits for all replicas; and what the topic takes."""

    producer: AIOKafkaProducer
    largest: int
    """Bytes of a message at most."""


class Log:
    """The topic that is appended to.

    Bytes count as in flight until Kafka has acknowledged them or given them up, also where the client was asked long
    ago to send again.

    Args:
        kafka: where it is, and its name.
        ack_timeout: seconds to wait for an acknowledgement.
    """

    def __init__(self, kafka: KafkaSettings, *, ack_timeout: float) -> None:
        self._kafka = kafka
        self._topic = kafka.source_topic
        self._ack_timeout = ack_timeout
        self._connection: Connection | None = None
        self._broken = asyncio.Event()
        self._unsettled: set[asyncio.Future[object]] = set()
        self.answers = False

    @property
    def largest(self) -> int:
        """What the topic takes in one message, bytes.

        Raises:
            Refused: Kafka has not been reached yet.
        """
        return self._connected().largest - RECORD_OVERHEAD

    async def append(
        self, messages: Sequence[bytes], headers: Sequence[tuple[str, bytes]], held: Held
    ) -> None:
        """Append messages and return when Kafka has acknowledged every one.

        Args:
            messages: each no larger than `largest`.
            headers: of each message.
            held: the bytes of the request, which Kafka's client holds as well until it has settled them.

        Raises:
            Refused: it has not, in time. They may be in the log all the same; sent again they change nothing.
        """
        producer = self._connected().producer
        waiting: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(self._ack_timeout):
                for message in messages:
                    waiting.append(await producer.send(self._topic, message, headers=list(headers)))
                    held.keep_until(waiting[-1])
                    self._unsettled.add(waiting[-1])
                    waiting[-1].add_done_callback(self._unsettled.discard)
                await asyncio.gather(*map(asyncio.shield, waiting))
        except (TimeoutError, KafkaTimeoutError):
            raise Refused(
                Reason.UNAVAILABLE, "Kafka did not acknowledge in time: send again.", RETRY_SECONDS
            ) from None
        except KafkaError as error:
            # Whatever it was, the numbers of an idempotent producer have a gap now, and Kafka would refuse all that
            # follows. Nor is a message too large for good: the topic may take less than it did, which connecting asks.
            if self._connection is not None and self._connection.producer is producer:
                if not self._broken.is_set():
                    logger.warning("Kafka refused a message (%s); connecting anew", type(error).__name__)
                self._broken.set()
            raise Refused(
                Reason.UNAVAILABLE, "Kafka refused the message: send again.", RETRY_SECONDS
            ) from None
        finally:
            # With its error each would hold this frame, and the messages, until some garbage collection.
            waiting.clear()

    def _connected(self) -> Connection:
        if self._connection is None:
            raise Refused(Reason.UNAVAILABLE, "Kafka can't be reached: send again later.", RETRY_SECONDS)
        return self._connection

    async def run(self) -> None:
        """Keep a connection to Kafka until cancelled, and look whether it answers."""
        try:
            while True:
                self._broken.clear()
                self._connection = await retry(
                    self._connected_anew,
                    (KafkaError, OSError, TopicError),
                    warn_once(
                        logger, lambda error: f"Kafka can't be appended to ({_reason(error)}), waiting for it"
                    ),
                    longest=RETRY_SECONDS,
                )
                while not self._broken.is_set():
                    self.answers = await answers(self._connection.producer, WATCH)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._broken.wait(), WATCH if self.answers else 0.5)
                await self._close()
        finally:
            await self._close()

    async def _connected_anew(self) -> Connection:
        largest = await largest_message(self._kafka)
        producer = await started_producer(
            self._kafka,
            client_id="spanloom-receiver",
            linger_ms=5,
            max_batch_size=min(largest, 1 << 20),
            max_request_size=largest,
        )
        logger.info("connected to Kafka; %s takes %s bytes a message", self._topic, largest)
        return Connection(producer, largest)

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        self.answers = False
        if connection is not None:
            # Waits for what is under way; where Kafka is away that would take for ever.
            try:
                await asyncio.wait_for(connection.producer.stop(), self._ack_timeout)
            except (TimeoutError, KafkaError):
                await self._abandon(connection.producer)

    async def _abandon(self, producer: AIOKafkaProducer) -> None:
        await abandon(producer)
        for future in list(self._unsettled):
            if not future.done():
                future.set_exception(KafkaError("given up"))


def _reason(error: Exception) -> str:
    """Why Kafka can't be appended to: of a topic what is to be done, of a connection what is wrong with it."""
    return str(error) if isinstance(error, TopicError) else type(error).__name__
