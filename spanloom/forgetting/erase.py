"""Sends erasures to the workers, and waits until they have done them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from aiokafka import AIOKafkaProducer

from spanloom.forgetting.portion import Portion
from spanloom.forgetting.selection import Found
from spanloom.kafka.connection import connection
from spanloom.kafka.progress import Ends, Progress
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS
from spanloom.spans.folding import erasure
from spanloom.spans.folding.facts import partition_of

_DATED_BACK = 3 * 24 * 3600 * 1000
"""How far back erasures are dated, ms. They are for workers that may be catching up: dated now, they would move the
stream clock on, and all state would look old. Kafka deletes by timestamps, after a week by default."""

_SPANS_A_RECORD = 2000
"""Spans that one erasure forgets at most, unless they are of one trace: a worker holds those of a batch at once."""

_POLL = 0.5
"""Seconds between two looks how far the workers are."""

Behind = Callable[[int], None]
"""Called over and over with the number of records that the workers have still to read."""


class WorkersStandStill(Exception):
    """The workers do not come further; one sentence."""


class Erasures:
    """Erasures on their way to the workers.

    Args:
        settings: where Kafka is, and how many partitions topics have.
        progress: how far the workers are.
        patience: seconds without any progress after which waiting ends.
    """

    def __init__(self, settings: KafkaSettings, progress: Progress, patience: float) -> None:
        self._settings = settings
        self._progress = progress
        self._patience = patience

    async def erase(self, portion: Portion, behind: Behind) -> None:
        """Have a portion forgotten; returns when the rows of its traces and session windows say so.

        Raises:
            WorkersStandStill, KafkaError: they don't yet.
        """
        await self.wait_for(SPAN_FACTS, await self._send(portion), behind)
        await self.wait_for(TRACE_FACTS, await self._progress.ends(TRACE_FACTS), behind)

    async def wait_for(self, topic: str, ends: Ends, behind: Behind) -> None:
        """Return when the workers have acknowledged all before these ends of a topic.

        Raises:
            WorkersStandStill, KafkaError: they have not.
        """
        last, since = -1, time.monotonic()
        while left := await self._progress.behind(topic, ends):
            behind(left)
            if left != last:
                last, since = left, time.monotonic()
            elif time.monotonic() - since > self._patience:
                raise WorkersStandStill(
                    f"no worker has come further in {topic} for {self._patience:.0f} seconds: start one, and run the"
                    " command again, which goes on where it ended"
                )
            await asyncio.sleep(_POLL)

    async def _send(self, portion: Portion) -> Ends:
        # One that is sent twice says nothing else than once, so it need not be an idempotent producer.
        producer = AIOKafkaProducer(
            **connection(self._settings), acks="all", client_id="spanloom-forget", compression_type="zstd"
        )
        try:
            await producer.start()
            return await self._send_with(producer, portion)
        finally:
            await producer.stop()

    async def _send_with(self, producer: AIOKafkaProducer, portion: Portion) -> Ends:
        by_partition: dict[int, list[Found]] = {}
        for found in portion.traces:
            target = partition_of(found.key, self._settings.partitions)
            by_partition.setdefault(target, []).append(found)
        dated = round(time.time() * 1000) - _DATED_BACK
        waiting = [
            await producer.send(SPAN_FACTS, message, partition=partition, timestamp_ms=dated)
            for partition, message in _messages(by_partition, portion.version)
        ]
        ends: dict[int, int] = {}
        for sent in await asyncio.gather(*waiting):
            ends[sent.partition] = max(ends.get(sent.partition, 0), sent.offset + 1)
        return ends


def _messages(by_partition: Mapping[int, Iterable[Found]], version: int) -> Iterator[tuple[int, bytes]]:
    for partition, traces in by_partition.items():
        for some in _runs(traces):
            for message in erasure.encode((found.key for found in some), version):
                yield partition, message


def _runs(traces: Iterable[Found]) -> Iterator[list[Found]]:
    run: list[Found] = []
    spans = 0
    for found in traces:
        if run and (len(run) >= erasure.TRACES_A_RECORD or spans + found.spans > _SPANS_A_RECORD):
            yield run
            run, spans = [], 0
        run.append(found)
        spans += found.spans
    if run:
        yield run
