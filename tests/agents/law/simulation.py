"""A worker in memory: the real stages, states, look-ups and checkpoint, over a log and a warehouse in memory.

A crash is an exception out of one of the three places a checkpoint writes to; what was in memory is gone with it, and
what was written before it stays, in the changelog down to the single record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import pyarrow as pa

from spanloom.agents.consuming.assignment import Assignment
from spanloom.agents.consuming.changelog import Changelog
from spanloom.agents.consuming.records import MAX_BEHIND, Partition, SourceRecord
from spanloom.agents.retry import clickhouse_retry, kafka_retry
from spanloom.agents.stages.checkpoint import PartitionsLost, Writes, checkpoint
from spanloom.agents.stages.ingest import Ingest
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.trace.last_forgotten import is_chunk
from spanloom.agents.state.trace.pace import Pace
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.producer import Appended, Record
from spanloom.kafka.topics import SESSIONS_CHANGELOG, SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG
from spanloom.spans.folding import erasure
from spanloom.spans.folding.erasure import erased_up_to
from spanloom.spans.folding.facts import TraceKey, partition_of
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.warehouse.write import insert
from tests.agents.law.memory_log import MemoryLog
from tests.agents.law.memory_warehouse import SPANS, MemoryWarehouse

SOURCE = "otlp_spans"
STAGES = ("ingest", "traces", "sessions")
TOPICS = {"ingest": SOURCE, "traces": SPAN_FACTS, "sessions": TRACE_FACTS}
CHANGELOGS = (TRACES_CHANGELOG, SESSIONS_CHANGELOG)
PLACES = ("rows", "messages", "changelog", "source")
"""Where a checkpoint writes to, in its order."""

ANYWHERE = "anywhere"

PARTITIONS = 2
EVERY_BATCH = Pace()
"""No trace is large."""

_ROUNDS = 50
"""Turns of all stages after which what is still owed never will be written."""

WINDOW = 3600
RETENTION = 3600

_LIMITS, _PRICES = Limits(), Prices()


class Crash(Exception):
    """The worker is gone."""


class _Ingest(Ingest):
    """Works in this thread, at a `time` (ms) that is set; made once, for that takes longer than its work here."""

    time = 0

    def __init__(self, partitions: int, prices: Prices) -> None:
        super().__init__(partitions, _LIMITS, prices, now=lambda: self.time)

    async def __call__(self, records: list[SourceRecord]) -> Writes:
        """Decode, price, and send on."""
        return self.prepare(records)


_ingest = lru_cache(_Ingest)


@dataclass(frozen=True)
class Step:
    """One batch of one stage, and what happens to it."""

    stage: str
    size: int
    """Records of each partition at most; 0: what was put off and is due is written."""
    crash: tuple[str, int] | None = None
    """Where the worker is killed, one of PLACES or ANYWHERE, and after how many writes there; None if it is not."""
    lost: bool = False
    """Whether the partitions are given away while the batch runs."""
    compact: bool = False
    """Whether the changelogs are compacted afterwards, before a worker starts again."""


@dataclass(frozen=True)
class Forget:
    """Somebody has a trace forgotten; nothing happens if ClickHouse has no span of it that would be."""

    trace: int
    until: int
    """Spans are forgotten whose records are dated up to this time, ms."""


class Event(Protocol):
    """What happens between two batches, besides (`steps.disasters`)."""

    async def happen(self, simulation: Simulation, /) -> None:
        """Let it happen."""


class _Keys:
    """What a changelog's keys are asked of."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def keys(self, partition: Partition) -> list[bytes]:
        """Return the keys that a partition holds now, tombstones' too."""
        return list(dict.fromkeys(record.key for record in self._log.all(partition) if record.key))


class Simulation:
    """One worker.

    Args:
        began: the wall clock when the worker first starts, ms.
        partitions: partitions of each topic.
        served: whether a worker has served before, since `began`: then the changelogs have a clock.
        pace: when the rows of large traces are written; a step takes a second.
    """

    def __init__(
        self, began: int, *, served: bool = False, partitions: int = PARTITIONS, pace: Pace = EVERY_BATCH
    ) -> None:
        self.log = MemoryLog()
        self.forgotten: dict[TraceKey, int] = {}
        """By trace the version up to which its spans are forgotten."""
        self.warehouse = MemoryWarehouse()
        self.prices = _PRICES
        """What tokens cost, from the next restart on."""
        self.retention = RETENTION
        """Seconds, from the next restart on."""
        self._now = began
        self.partitions = partitions
        self._pace = pace
        self._seconds = 0.0
        clock = StreamClock(kept_since=began, now=began).to_message().SerializeToString()
        for partition in range(partitions if served else 0):
            for changelog in CHANGELOGS:
                self.log.append(changelog, Record(partition, CLOCK_RECORD, clock), began)
        self._crash: tuple[str, int] | None = None
        self.restart()

    @property
    def now(self) -> int:
        """The wall clock, ms: it goes by the records that were read."""
        return self._now

    def produce(
        self, value: bytes, timestamp: int, partition: int = 0, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Append a message to the source topic; `timestamp` in ms."""
        self.log.append(SOURCE, Record(partition, None, value, headers, timestamp=timestamp), timestamp)

    def forget(self, forget: Forget) -> None:
        """Have a trace forgotten, as the command does it."""
        version = erased_up_to(forget.until)
        for row in self.warehouse.tables[SPANS].values():
            key = TraceKey(row["project_id"], bytes.fromhex(row["trace_id"]))
            if int(row["trace_id"], 16) == forget.trace and row["version"] <= version:
                self.erase(key, version)
                return

    def erase(self, key: TraceKey, version: int) -> None:
        """Have what a trace has up to a version erased."""
        self.forgotten[key] = max(version, self.forgotten.get(key, 0))
        for message in erasure.encode([key], version):
            dated_back = Record(
                partition_of(key, self.partitions), None, message, timestamp=self._now - MAX_BEHIND
            )
            self.log.append(SPAN_FACTS, dated_back, self._now)

    async def run(self, steps: Sequence[Step | Forget | Event]) -> None:
        """Take these steps, then go on without trouble until every record is acknowledged and every row is written."""
        for step in steps:
            if isinstance(step, Forget):
                self.forget(step)
            elif isinstance(step, Step):
                await self.step(step)
            else:
                try:
                    await step.happen(self)
                except Crash:
                    self.restart()
        for _ in range(_ROUNDS):
            if not self.log.lag(TOPICS.values()) and not self.owes():
                break
            size = 100 if self.log.lag(TOPICS.values()) else 0
            self._seconds += 0 if size else 1000
            for stage in STAGES:
                await self.step(Step(stage, size))

    def owes(self) -> bool:
        """Whether rows are put off or owed, or a state has just been taken over."""
        return any(
            not state.has_begun or state.owes() or bool(state._changed)
            for changelog in self.changelogs.values()
            for state in changelog.states().values()
        )

    async def step(self, step: Step) -> None:
        """Run one batch of one stage."""
        self._seconds += 1
        topic = TOPICS[step.stage]
        records = [
            record
            for partition in self.log.partitions(topic)
            for record in self.log.due(partition, step.size)
        ]
        if not records and (step.size or step.stage == "ingest"):
            return
        self._now = max(self._now, *(record.timestamp for record in records), 0)
        self._crash = step.crash
        try:
            await self._batch(step, records)
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

    async def _batch(self, step: Step, records: list[SourceRecord]) -> None:
        work = self._work[step.stage]
        if step.stage != "ingest" and (writes := await work.settle()) is not None:
            await self._checkpoint(writes, step)
        if records:
            if step.stage == "ingest":
                work.time = self._now
            writes = await work(records)
            for record in records:
                writes.offsets[record.topic, record.partition] = record.offset + 1
            await self._checkpoint(writes, step)

    async def _checkpoint(self, writes: Writes, step: Step) -> None:
        await checkpoint(
            writes,
            rows=self._insert,
            records=self.produce_records,
            acknowledge=self._acknowledge,
            still_ours=lambda: not step.lost,
        )

    def restart(self) -> None:
        """Begin with what the changelogs hold."""
        numbers = range(self.partitions)
        traces = Changelog(TRACES_CHANGELOG, self._traces, stays_true=is_chunk)
        sessions = Changelog(SESSIONS_CHANGELOG, self._sessions)
        self.changelogs: Mapping[str, Changelog[Any]] = {each.topic: each for each in (traces, sessions)}
        for changelog in self.changelogs.values():
            changelog.begin(numbers)
            for number in numbers:
                for record in self.log.all((changelog.topic, number)):
                    changelog.restore(number, record.key or b"", record.value)
            changelog.complete(numbers)
        rebuild = Rebuild(self.warehouse, clickhouse_retry())
        self._work: Mapping[str, Any] = {
            "ingest": _ingest(self.partitions, self.prices),
            "traces": Traces(
                self.partitions,
                traces.states,
                rebuild.traces,
                rebuild.traces_to_forget,
                rebuild,
                now=lambda: self._now,
            ),
            "sessions": Sessions(sessions.states, rebuild.windows, rebuild),
        }

    def _traces(self) -> TracePartition:
        return TracePartition(
            WINDOW,
            self.retention * 1000,
            self._now,
            pace=self._pace,
            time=lambda: self._seconds,
            most_unpacked=1,
        )

    def _sessions(self) -> SessionPartition:
        return SessionPartition((self.retention + WINDOW) * 1000, self._now)

    async def begin_anew(self, topic: str) -> None:
        """Another worker has written to a changelog."""
        changelog = self.changelogs[topic]
        nothing: Any = None
        assignment = Assignment(
            _Keys(self.log),  # type: ignore[arg-type]
            (),
            {TOPICS["traces"]: changelog},
            nothing,
            nothing,
            produce=self.produce_records,
            retry=kafka_retry(),
            deadline=0,
        )
        for number in changelog.states():
            changelog.read_up_to(number, 0)
            await assignment.follow(topic, [Appended(number, 1, 1)])

    def _write(self, place: str) -> None:
        """One write is due: the worker may be killed before it."""
        if self._crash is not None and self._crash[0] in (place, ANYWHERE):
            if not self._crash[1]:
                raise Crash
            self._crash = self._crash[0], self._crash[1] - 1

    async def _insert(self, table: str, rows: pa.Table) -> None:
        self._write("rows")
        await insert(self.warehouse, table, rows)

    async def produce_records(self, topic: str, records: Sequence[Record]) -> None:
        for record in records:
            self._write("changelog" if topic in CHANGELOGS else "messages")
            self.log.append(topic, record, self._now)

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        self._write("source")
        self.log.commit(offsets)
