"""A worker in memory: the real stages, states, look-ups and checkpoint, over a log and a warehouse in memory.

A crash is an exception out of one of the three places a checkpoint writes to; what was in memory is gone with it, and
what was written before it stays, in the changelog down to the single record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from spanloom.agents.consuming.changelog import PartitionState
from spanloom.agents.consuming.records import Partition
from spanloom.agents.retry import clickhouse_retry
from spanloom.agents.stages.checkpoint import PartitionsLost, checkpoint
from spanloom.agents.stages.ingest import Ingest
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import SESSIONS_CHANGELOG, SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.warehouse.write import insert
from tests.agents.law.memory_log import MemoryLog
from tests.agents.law.memory_warehouse import MemoryWarehouse

SOURCE = "otlp_spans"
STAGES = ("ingest", "traces", "sessions")
TOPICS = {"ingest": SOURCE, "traces": SPAN_FACTS, "sessions": TRACE_FACTS}
CHANGELOGS = (TRACES_CHANGELOG, SESSIONS_CHANGELOG)
PLACES = ("rows", "messages", "changelog", "source")
"""Where a checkpoint writes to, in its order."""

PARTITIONS = 2
WINDOW = 3600
RETENTION = 3600

_LIMITS, _PRICES = Limits(), Prices()


class Crash(Exception):
    """The worker is gone."""


@dataclass(frozen=True)
class Step:
    """One batch of one stage, and what happens to it."""

    stage: str
    size: int
    """Records of each partition at most."""
    crash: tuple[str, int] | None = None
    """Where the worker is killed, one of PLACES, and after how many writes there; None if it is not."""
    lost: bool = False
    """Whether the partitions are given away while the batch runs."""
    compact: bool = False
    """Whether the changelogs are compacted afterwards, before a worker starts again."""


class Simulation:
    """One worker.

    Args:
        began: the wall clock when the worker first starts, ms.
        partitions: partitions of each topic.
        served: whether a worker has served before, since `began`: then the changelogs have a clock.
    """

    def __init__(self, began: int, *, served: bool = False, partitions: int = PARTITIONS) -> None:
        self.log = MemoryLog()
        self.warehouse = MemoryWarehouse()
        self._now = began
        self._partitions = partitions
        clock = StreamClock(kept_since=began, now=began).encode()
        for partition in range(partitions if served else 0):
            for changelog in CHANGELOGS:
                self.log.append(changelog, Record(partition, CLOCK_RECORD, clock), began)
        self._crash: tuple[str, int] | None = None
        self.restart()

    def produce(self, value: bytes, timestamp: int, partition: int = 0) -> None:
        """Append a message to the source topic; `timestamp` in ms."""
        self.log.append(SOURCE, Record(partition, None, value, timestamp=timestamp), timestamp)

    async def run(self, steps: Sequence[Step]) -> None:
        """Take these steps, then go on without trouble until every record is acknowledged."""
        for step in steps:
            await self.step(step)
        while self.log.lag(TOPICS.values()):
            for stage in STAGES:
                await self.step(Step(stage, 100))

    async def step(self, step: Step) -> None:
        """Run one batch of one stage."""
        topic = TOPICS[step.stage]
        records = [
            record
            for partition in self.log.partitions(topic)
            for record in self.log.due(partition, step.size)
        ]
        if not records:
            return
        self._now = max(self._now, *(record.timestamp for record in records))
        self._crash = step.crash
        try:
            writes = await self._work[step.stage](records)
            for record in records:
                writes.offsets[record.topic, record.partition] = record.offset + 1
            await checkpoint(
                writes,
                rows=self._insert,
                records=self._produce,
                acknowledge=self._acknowledge,
                still_ours=lambda: not step.lost,
            )
            gone = False
        except (Crash, PartitionsLost):
            gone = True
        finally:
            self._crash = None
        if step.compact:
            for changelog in CHANGELOGS:
                self.log.compact(changelog)
        if gone:
            self.restart()

    def restart(self) -> None:
        """Begin with what the changelogs hold."""
        traces = [TracePartition(WINDOW, RETENTION * 1000, self._now) for _ in range(self._partitions)]
        sessions = [SessionPartition((RETENTION + WINDOW) * 1000, self._now) for _ in range(self._partitions)]
        for number in range(self._partitions):
            self._restore(traces[number], (TRACES_CHANGELOG, number))
            self._restore(sessions[number], (SESSIONS_CHANGELOG, number))
        rebuild = Rebuild(self.warehouse, clickhouse_retry())
        self._work: Mapping[str, Any] = {
            "ingest": Ingest(self._partitions, _LIMITS, _PRICES, now=lambda: self._now),
            "traces": Traces(self._partitions, traces.__getitem__, rebuild.traces, now=lambda: self._now),
            "sessions": Sessions(sessions.__getitem__, rebuild.windows),
        }

    def _restore(self, state: PartitionState, changelog: Partition) -> None:
        for record in self.log.all(changelog):
            state.restore(record.key or b"", record.value)
        state.restored()

    def _write(self, place: str) -> None:
        """One write is due: the worker may be killed before it."""
        if self._crash is not None and self._crash[0] == place:
            if not self._crash[1]:
                raise Crash
            self._crash = place, self._crash[1] - 1

    async def _insert(self, table: str, rows: pa.Table) -> None:
        self._write("rows")
        await insert(self.warehouse, table, rows)

    async def _produce(self, topic: str, records: Sequence[Record]) -> None:
        for record in records:
            self._write("changelog" if topic in CHANGELOGS else "messages")
            self.log.append(topic, record, self._now)

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        self._write("source")
        self.log.commit(offsets)
