"""Rows of large traces are put off, so that one more span costs the same; and none stays owed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.retry import clickhouse_retry
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.trace.pace import Pace
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.topics import SPAN_FACTS, TRACES_CHANGELOG
from spanloom.schemas.facts_pb2 import PartitionClock
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.trace.fold import fold
from spanloom.warehouse.write import insert
from tests.agents.law.memory_warehouse import MemoryWarehouse
from tests.spans.examples import KEY, START, call, fact

HOUR = 3_600_000
NOW = START // 1_000_000


class Worker:
    """The traces stage over a warehouse in memory, with a clock that stands still unless it is set."""

    def __init__(self) -> None:
        self.warehouse = MemoryWarehouse()
        self.changelog: list[tuple[bytes, bytes | None]] = []
        self.seconds = 0.0
        self.offset = 0
        self.restart()

    def restart(self) -> None:
        self.state = TracePartition(3600, HOUR, NOW - 24 * HOUR, time=lambda: self.seconds)
        for key, value in self.changelog:
            self.state.restore(key, value)
        self.state.restored()
        rebuild = Rebuild(self.warehouse, clickhouse_retry())
        self.stage = Traces(
            1,
            lambda: {0: self.state},
            rebuild.traces,
            rebuild.traces_to_forget,
            rebuild,
            now=lambda: NOW,
        )

    def send(self, *facts: Fact, key: TraceKey = KEY, timestamp: int = NOW) -> list[int]:
        """One batch; returns the numbers of spans that the rows that it writes tell of."""
        self.offset += 1
        value = facts_codec.encode_traces({key: facts})
        record = SourceRecord(SPAN_FACTS, 0, self.offset, timestamp, value, {})
        return self._written(asyncio.run(self.stage([record])))

    def settle(self) -> list[int]:
        writes = asyncio.run(self.stage.settle())
        return [] if writes is None else self._written(writes)

    def _written(self, writes: Writes) -> list[int]:
        for table, rows in writes.rows:
            asyncio.run(insert(self.warehouse, table, rows))
        self.changelog += [(one.key or b"", one.value) for one in writes.state[TRACES_CHANGELOG]]
        return [row for _, rows in writes.rows for row in rows["span_count"].to_pylist()]

    @property
    def owed(self) -> Sequence[bytes]:
        """What the last clock record says is put off."""
        value = next(value for key, value in reversed(self.changelog) if key == CLOCK_RECORD)
        return list(PartitionClock.FromString(value or b"").put_off)


def spans(first: int, last: int) -> list[Fact]:
    return [call(number, 1 if number > 1 else 0) for number in range(first, last + 1)]


def large(worker: Worker) -> Worker:
    """With a trace of a hundred spans, the last of which no row tells of."""
    assert worker.send(*spans(1, 99)) == [99]
    assert worker.send(*spans(100, 100)) == []
    assert worker.owed == [KEY.trace_id + b"default"]
    return worker


def test_a_small_trace_is_written_with_every_batch() -> None:
    worker = Worker()
    assert [worker.send(*spans(number, number)) for number in range(1, 65)] == [[n] for n in range(1, 65)]
    assert worker.owed == []


def test_a_large_one_is_written_when_it_has_grown_by_half() -> None:
    worker = large(Worker())
    assert [row for number in range(101, 200) for row in worker.send(*spans(number, number))] == [149]


def test_a_large_one_is_written_when_time_has_passed() -> None:
    worker = large(Worker())
    assert worker.settle() == []
    worker.seconds += 0.0099
    assert worker.settle() == []
    worker.seconds += 0.0002
    assert worker.settle() == [100]
    assert worker.owed == []
    assert worker.settle() == []


def test_what_is_written_at_last_is_the_fold_of_all_spans() -> None:
    worker = Worker()
    for number in range(1, 400):
        worker.send(*spans(number, number))
    worker.seconds += 10
    worker.settle()
    (row,) = worker.warehouse.live("traces_versions").values()
    assert row["input_tokens"] == fold(KEY, spans(1, 399)).counters.input_tokens
    assert row["span_count"] == 399


@pytest.mark.parametrize("stored", [True, False])
def test_a_restart_owes_it_still(stored: bool) -> None:
    worker = large(Worker())
    if not stored:
        worker.warehouse.tables["traces_versions"].clear()
    worker.restart()
    if not stored:
        assert worker.settle() == []  # only that the rows are not there
    assert worker.settle() == [100]
    assert worker.owed == []
    worker.restart()
    assert worker.settle() == []
    assert not worker.warehouse.ambiguous


def test_it_is_written_before_it_is_forgotten() -> None:
    worker = large(Worker())
    other = TraceKey("default", bytes(16))
    assert sorted(worker.send(fact(1), key=other, timestamp=NOW + 2 * HOUR)) == [1, 100]
    assert KEY not in worker.state
    assert worker.owed == []


def test_no_more_are_put_off_than_a_checkpoint_can_name() -> None:
    worker = Worker()
    keys = [TraceKey("default", number.to_bytes(16)) for number in range(1100)]
    some = spans(1, 65)
    state = worker.state
    for offset, key in enumerate(keys):
        state.apply([(key, some)], b"", NOW, offset)
    assert len(state.collect().rows) == len(keys)
    for offset, key in enumerate(keys):
        state.apply([(key, spans(66, 66))], b"", NOW, len(keys) + offset)
    assert len(state.collect().rows) == 100
    worker.seconds += 1
    assert len(state.collect().rows) == 1000


@pytest.mark.parametrize(
    ("spans", "changes", "told", "seconds", "due"),
    [
        (10, 1, 9, 0.0, True),
        (64, 1, 63, 0.0, True),
        (65, 1, 64, 0.0, False),
        (65, 65, 0, 0.0, True),
        (96, 32, 64, 0.0, True),
        (95, 31, 64, 0.0, False),
        (50_000, 1, 49_999, 4.9, False),
        (50_000, 1, 49_999, 5.0, True),
    ],
)
def test_when_a_row_is_due(spans: int, changes: int, told: int, seconds: float, due: bool) -> None:
    assert Pace().is_due(spans, changes, told, seconds) is due
