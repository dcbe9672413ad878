"""State and database belong together: rows that another database lacks are owed, and written by and by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from spanloom.agents import inserts
from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.inserts import Inserts, OtherDatabase
from spanloom.agents.retry import clickhouse_retry
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.topics import SESSIONS_CHANGELOG, SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG
from spanloom.spans.folding import erasure
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.erasure import erased_up_to
from spanloom.spans.folding.facts import TraceKey
from spanloom.warehouse.schema.retention import _ttl
from tests.agents.law.memory_warehouse import TRACES, WINDOWS, MemoryWarehouse
from tests.agents.law.steps.disasters import copied
from tests.spans.examples import START, call

HOUR = 3_600_000
NOW = START // 1_000_000
MANY = 1200
"""Traces: more than are adopted at once."""


def one_call(*numbers: int) -> bytes:
    """A message of new traces of one call each."""
    return facts_codec.encode_traces(
        {
            TraceKey("default", n.to_bytes(16)): [
                call(1, start_time=START + n, session_id=f"s{n % 3}", session_key=1)
            ]
            for n in numbers
        }
    )


class Worker:
    """Both keyed stages over a warehouse in memory."""

    def __init__(self) -> None:
        self.warehouse = MemoryWarehouse()
        self.changelogs: dict[str, list[tuple[bytes, bytes | None]]] = {
            TRACES_CHANGELOG: [],
            SESSIONS_CHANGELOG: [],
        }
        self.offset = 0
        self.restart()

    def restart(self) -> None:
        traces = TracePartition(3600, HOUR, NOW - 24 * HOUR)
        sessions = SessionPartition(2 * HOUR, NOW - 24 * HOUR)
        for state, topic in ((traces, TRACES_CHANGELOG), (sessions, SESSIONS_CHANGELOG)):
            for key, value in self.changelogs[topic]:
                state.restore(key, value)
            state.restored()
        rebuild = Rebuild(self.warehouse, clickhouse_retry())
        self.insert = Inserts(self.warehouse, clickhouse_retry())
        self.traces = Traces(
            1, lambda: {0: traces}, rebuild.traces, rebuild.traces_to_forget, rebuild, now=lambda: NOW
        )
        self.sessions = Sessions(lambda: {0: sessions}, rebuild.windows, rebuild)
        self.insert.stages += [self.traces, self.sessions]

    def send(self, *numbers: int) -> None:
        """A batch of new traces of one call each."""
        asyncio.run(self._batch(one_call(*numbers)))

    async def _batch(self, value: bytes) -> None:
        await self._written(await self.traces.settle())
        self.offset += 1
        await self._written(await self.traces([SourceRecord(SPAN_FACTS, 0, self.offset, NOW, value, {})]))

    async def _written(self, writes: Writes | None) -> None:
        if writes is None:
            return
        for table, rows in writes.rows:
            await self.insert(table, rows)
        for topic, records in writes.state.items():
            self.changelogs[topic] += [(one.key or b"", one.value) for one in records]
        for record in writes.messages.get(TRACE_FACTS, []):
            self.offset += 1
            await self._written(await self.sessions.settle())
            of_sessions = SourceRecord(TRACE_FACTS, 0, self.offset, NOW, record.value or b"", {})
            await self._written(await self.sessions([of_sessions]))

    def settle(self) -> int:
        """Let both stages settle once; returns the rows of traces there are then."""

        async def both() -> None:
            await self._written(await self.traces.settle())
            await self._written(await self.sessions.settle())

        asyncio.run(both())
        return len(self.warehouse.live(TRACES))


@pytest.fixture
def full() -> Worker:
    worker = Worker()
    worker.send(1, 2, 3)
    worker.send(*range(4, MANY + 1))
    assert worker.settle() == MANY
    return worker


def test_the_same_database_costs_nothing(full: Worker) -> None:
    full.restart()
    full.send(MANY + 1)
    assert len(full.warehouse.live(TRACES)) == MANY + 1
    assert asyncio.run(full.traces.settle()) is None


def test_an_erasure_that_writes_no_row_does_not_make_the_database_look_older() -> None:
    worker = Worker()
    worker.send(1)
    (erased,) = erasure.encode([TraceKey("default", (2).to_bytes(16))], erased_up_to(NOW + HOUR))
    asyncio.run(worker._batch(erased))
    worker.restart()
    assert asyncio.run(worker.traces.settle()) is None


@pytest.mark.parametrize("what", ["another", "empty", "older"])
def test_rows_that_are_missing_are_written_by_and_by(
    full: Worker, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = full.warehouse.live(TRACES), full.warehouse.live(WINDOWS)
    full.warehouse = MemoryWarehouse()
    full.warehouse.identity = "another" if what == "another" else "memory"
    if what == "older":
        aside = Worker()
        aside.send(*range(1, 4))
        aside.warehouse.tables.pop("spans_versions")
        for name, rows in aside.warehouse.tables.items():
            full.warehouse.tables[name].update(rows)
    full.restart()
    counts = [full.settle() for _ in range(6)]
    assert counts[0] in (0, 3)
    assert counts[1] < MANY
    assert counts[-1] == MANY
    assert (full.warehouse.live(TRACES), full.warehouse.live(WINDOWS)) == before
    assert caplog.text.count("ClickHouse lacks rows") == 2
    caplog.clear()
    full.restart()
    full.settle()
    assert "lacks" not in caplog.text
    assert not full.warehouse.ambiguous


@pytest.mark.parametrize("identity", ["another", "memory"])
def test_a_restart_while_rows_are_missing_goes_on_with_them(full: Worker, identity: str) -> None:
    before = full.warehouse.live(TRACES), full.warehouse.live(WINDOWS)
    full.warehouse = MemoryWarehouse()
    full.warehouse.identity = identity
    for _ in range(2):
        full.restart()
        full.settle()
        assert full.settle() < MANY
    full.restart()
    for _ in range(6):
        full.settle()
    assert (full.warehouse.live(TRACES), full.warehouse.live(WINDOWS)) == before


def test_rows_written_to_an_older_copy_do_not_hide_what_it_lacks(
    full: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = copied(full.warehouse)
    monkeypatch.setattr(inserts, "INTERVAL", 0.0)
    full.send(MANY + 1)
    full.send(MANY + 2)
    monkeypatch.setattr(inserts, "INTERVAL", 3600.0)
    full.warehouse.tables = older
    full.send(MANY + 3)
    monkeypatch.setattr(inserts, "INTERVAL", 0.0)
    with pytest.raises(OtherDatabase):
        full.send(MANY + 4)


def test_what_is_stored_while_the_database_is_asked_is_not_missed(full: Worker) -> None:
    origin: Any = full.traces._origin
    real = origin.newest

    async def newest(keys: Sequence[TraceKey]) -> Mapping[TraceKey, int]:
        found: Mapping[TraceKey, int] = await real(keys)
        origin.newest = real
        await full._batch(one_call(MANY + 1))
        return found

    origin.newest = newest
    assert asyncio.run(full.traces.finds_its_rows())


@pytest.mark.parametrize("days", [0, 20, 40])
def test_what_was_deleted_by_its_age_is_not_missed(full: Worker, days: int) -> None:
    full.warehouse.now = NOW + 30 * 24 * HOUR
    full.warehouse.engine = (
        f"ReplacingMergeTree ORDER BY x TTL {_ttl(days)} SETTINGS y = 1" if days else "ReplacingMergeTree"
    )
    full.warehouse.tables = {name: {} for name in full.warehouse.tables}
    expired = days == 20
    assert asyncio.run(full.traces.finds_its_rows()) is expired
    assert asyncio.run(full.sessions.finds_its_rows()) is expired
    full.restart()
    for _ in range(6):
        full.settle()
    assert bool(full.warehouse.live(TRACES)) is not expired


def test_what_comes_back_after_an_outage_is_compared_with_what_was_there(full: Worker) -> None:
    def finds() -> list[bool]:
        return [asyncio.run(stage.finds_its_rows()) for stage in (full.traces, full.sessions)]

    assert finds() == [True, True]
    older = copied(full.warehouse)
    full.send(MANY + 1)
    full.send(MANY + 2)
    assert finds() == [True, True]
    full.warehouse.tables = older
    assert finds() == [False, False]
    full.warehouse.tables = {name: {} for name in older}
    assert finds() == [False, False]
