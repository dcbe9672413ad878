"""The load on its way: records at a steady pace, each sent until Kafka has acknowledged it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from spanloom.kafka.topics import MAX_MESSAGE_BYTES
from tests.fixtures_local import wait_until

_PATIENCE = 180.0
"""Seconds that Kafka may be away."""


@dataclass(frozen=True)
class Sent:
    """A record of the source topic."""

    value: bytes
    partition: int
    timestamp: int | None = None
    """ms since 1970, of a sender whose clock is wrong."""


class Sending:
    """Sends records in a thread of its own, within so many seconds, as an application that retries."""

    def __init__(self, bootstrap: str, topic: str, records: Sequence[Sent], seconds: float) -> None:
        self.records = records
        self.acknowledged = 0
        self._bootstrap, self._topic = bootstrap, topic
        self._seconds = seconds
        self._may_go = threading.Event()
        self._may_go.set()
        self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, share: float = 1.0) -> None:
        """Wait until a share of the records is acknowledged."""
        wanted = round(len(self.records) * share)
        deadline = _PATIENCE + 2 * self._seconds
        wait_until(lambda: self._error is not None or self.acknowledged >= wanted, "records sent", deadline)
        if self._error is not None:
            raise self._error

    def pause(self, share: float) -> None:
        """Wait until a share of the records is acknowledged, and send no more."""
        self.wait(share)
        self._may_go.clear()
        time.sleep(0.5)

    def resume(self) -> None:
        """Go on."""
        self._may_go.set()

    def stop(self) -> None:
        """Send no more, for good."""
        self._stopped = True
        self._may_go.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as error:  # whoever waits must learn of it
            self._error = error

    async def _send(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            max_request_size=MAX_MESSAGE_BYTES,
            request_timeout_ms=10_000,
        )
        await producer.start()
        waiting: set[asyncio.Task[None]] = set()
        pace = self._seconds / len(self.records)
        try:
            for record in self.records:
                began = time.monotonic()
                await asyncio.to_thread(self._may_go.wait)
                if self._stopped:
                    return
                task = asyncio.create_task(self._until_acknowledged(producer, record))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
                await asyncio.sleep(max(0.0, began + pace - time.monotonic()))
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()
            await producer.stop()

    async def _until_acknowledged(self, producer: AIOKafkaProducer, record: Sent) -> None:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                await producer.send_and_wait(
                    self._topic, record.value, partition=record.partition, timestamp_ms=record.timestamp
                )
            except KafkaError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.5)
            else:
                self.acknowledged += 1
                return


def spread(values: Sequence[bytes], partitions: int) -> list[Sent]:
    """Return messages as records of the partitions in turn."""
    return [Sent(value, number % partitions) for number, value in enumerate(values)]


def dated(records: Sequence[Sent], timestamps: Sequence[int | None]) -> list[Sent]:
    """Return records with timestamps."""
    return [replace(record, timestamp=time) for record, time in zip(records, timestamps, strict=True)]
