"""A stage: takes batches from its topic, works on them, and ends each with a checkpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from agents import metrics
from agents.checkpoint import Acknowledge, Records, Rows, Writes, checkpoint
from agents.gate import Gate

MAX_AHEAD = 24 * 3600 * 1000
"""How far in the future a record may say it is, ms. One such record moves the stream clock for good, and all
state would be forgotten: Kafka 4 refuses more than an hour by default, other brokers and settings do not."""


BATCH_BYTES = 16 * 2**20
"""What is worked on at once, bytes of messages: decoded it takes some five times as much memory."""


class SourceRecord(NamedTuple):
    """A record read from Kafka; `timestamp` in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    headers: dict[str, bytes]


def newest(records: list[SourceRecord]) -> int:
    """Return the newest timestamp of a batch, ms.

    What a batch leads to carries it on: so the stream clock of the next stage is that of the source, however
    long ago that was, and a worker that catches up after hours finds nothing late.
    """
    return max(record.timestamp for record in records)


def portions(records: list[SourceRecord], limit: int) -> Iterator[list[SourceRecord]]:
    """Cut records, in order, into runs of at most `limit` bytes of values, or a single record."""
    run: list[SourceRecord] = []
    run_bytes = 0
    for record in records:
        if run and run_bytes + len(record.value) > limit:
            yield run
            run, run_bytes = [], 0
        run.append(record)
        run_bytes += len(record.value)
    if run:
        yield run


Work = Callable[[list[SourceRecord]], Awaitable[Writes]]
"""The heart of a stage: what follows from a batch. It may read, but writes nothing itself."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where a checkpoint writes to."""

    rows: Rows
    records: Records
    acknowledge: Acknowledge


class Stage:
    """Runs the work of one agent batch by batch.

    Args:
        name: the agent's name, for metrics.
        work: the heart of the stage.
        gate: decides whether a batch may run.
        outlets: where its checkpoint writes to.
        generation: returns the generation of the group; records of another one are not ours any more.
        fail: ends the process; called with whatever a batch raised.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        gate: Gate,
        outlets: Outlets,
        generation: Callable[[], int],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self._work = work
        self._gate = gate
        self._outlets = outlets
        self._generation = generation
        self._fail = fail

    async def run(self, stream: Any, max_messages: int, linger: float) -> None:
        """Take batches from a Faust stream until it ends.

        Args:
            stream: the stream of the agent.
            max_messages: how many messages a batch has at the most.
            linger: how long a batch waits for more messages, seconds.
        """
        async for events in stream.noack_take(max_messages, within=linger):
            try:
                await self._gate.run(self._batch(events))
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._fail(error)
                raise

    async def _batch(self, events: Iterable[Any]) -> None:
        for records in portions(self._current(events), BATCH_BYTES):
            await self._portion(records)

    async def _portion(self, records: list[SourceRecord]) -> None:
        started = time.monotonic()
        writes = await self._work(records)
        for record in records:
            writes.offsets[record.topic, record.partition] = record.offset + 1
        worked = time.monotonic()
        await checkpoint(
            writes,
            rows=self._outlets.rows,
            records=self._outlets.records,
            acknowledge=self._outlets.acknowledge,
        )
        metrics.BATCHES.labels(self.name).inc()
        metrics.RECORDS.labels(self.name).inc(len(records))
        metrics.WORK_SECONDS.labels(self.name).observe(worked - started)
        metrics.CHECKPOINT_SECONDS.labels(self.name).observe(time.monotonic() - worked)
        metrics.CHECKPOINT_TIME.labels(self.name).set_to_current_time()

    def _current(self, events: Iterable[Any]) -> list[SourceRecord]:
        """Return the records of the current generation: others were taken before a rebalance and come again."""
        generation = self._generation()
        latest = round(time.time() * 1000) + MAX_AHEAD
        records = []
        for event in events:
            message = event.message
            if message.generation_id != generation:
                continue
            records.append(
                SourceRecord(
                    topic=message.topic,
                    partition=message.partition,
                    offset=message.offset,
                    timestamp=min(round((message.timestamp or 0) * 1000), latest),
                    value=message.value or b"",
                    headers=dict(message.headers or ()),
                )
            )
        return records
