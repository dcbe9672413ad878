"""Before rows are written beside others, those are there that were written before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import pyarrow as pa
import pytest

from spanloom.agents import inserts
from spanloom.agents.inserts import Inserts, OtherDatabase
from spanloom.agents.retry import clickhouse_retry
from spanloom.agents.stages.keyed import Target
from spanloom.agents.stages.traces import Traces
from spanloom.warehouse.errors import Unavailable
from tests.agents.law.memory_warehouse import SPANS, TRACES, MemoryWarehouse

ROWS = pa.table(
    {"project_id": ["p"], "trace_id": ["t"], "span_id": ["s"], "version": pa.array([1], pa.uint64())}
)


class FailsOnce(MemoryWarehouse):
    """Is out of reach for the next request, if asked to."""

    fails = False

    async def insert_arrow(self, table: str, rows: pa.Table, settings: Mapping[str, str]) -> None:
        if self.fails:
            self.fails = False
            raise Unavailable("it is away")
        await super().insert_arrow(table, rows, settings)


class Keyed:
    """A stage whose rows are there, or not."""

    target = Target(TRACES, "changelog")

    def __init__(self) -> None:
        self.finds, self.asked, self.stored = True, 0, 0

    async def finds_its_rows(self) -> bool:
        self.asked += 1
        return self.finds

    def are_stored(self) -> None:
        self.stored += 1


@pytest.fixture
def parts() -> tuple[Inserts, FailsOnce, Keyed]:
    warehouse, keyed = FailsOnce(), Keyed()
    found = Inserts(warehouse, clickhouse_retry())
    found.stages.append(cast("Traces", keyed))
    return found, warehouse, keyed


def test_while_inserts_follow_each_other_nothing_is_asked(parts: tuple[Inserts, FailsOnce, Keyed]) -> None:
    insert, warehouse, keyed = parts
    keyed.finds = False
    for _ in range(3):
        asyncio.run(insert(SPANS, ROWS))
    assert keyed.asked == 0
    assert len(warehouse.tables[SPANS]) == 1


@pytest.mark.parametrize("finds", [True, False])
def test_after_an_outage_all_rows_must_be_there(parts: tuple[Inserts, FailsOnce, Keyed], finds: bool) -> None:
    insert, warehouse, keyed = parts
    warehouse.fails, keyed.finds = True, finds
    if finds:
        asyncio.run(insert(SPANS, ROWS))
        asyncio.run(insert(SPANS, ROWS))
    else:
        with pytest.raises(OtherDatabase, match="lacks rows that this worker has written"):
            asyncio.run(insert(SPANS, ROWS))
    assert keyed.asked == 1
    assert bool(warehouse.tables[SPANS]) == finds


def test_an_outage_in_the_middle_of_the_question_has_it_asked_again(
    parts: tuple[Inserts, FailsOnce, Keyed],
) -> None:
    insert, warehouse, keyed = parts

    class Interrupted(Keyed):
        async def finds_its_rows(self) -> bool:
            if not await super().finds_its_rows():
                return False
            insert._retry.failures += 1
            self.finds = False
            return True

    interrupted = Interrupted()
    insert.stages.append(cast("Traces", interrupted))
    warehouse.fails = True
    with pytest.raises(OtherDatabase):
        asyncio.run(insert(SPANS, ROWS))
    assert (keyed.asked, interrupted.asked) == (2, 2)
    assert not warehouse.tables[SPANS]


def test_from_time_to_time_all_rows_must_be_there(
    parts: tuple[Inserts, FailsOnce, Keyed], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, warehouse, keyed = parts
    monkeypatch.setattr(inserts, "INTERVAL", 3600.0)
    asyncio.run(insert(SPANS, ROWS))
    assert keyed.asked == 0
    warehouse.tables[SPANS].clear()
    keyed.finds = False
    monkeypatch.setattr(inserts, "INTERVAL", 0.0)
    with pytest.raises(OtherDatabase):
        asyncio.run(insert(SPANS, ROWS))
    assert not warehouse.tables[SPANS]


def test_a_stage_hears_of_its_own_rows(parts: tuple[Inserts, FailsOnce, Keyed]) -> None:
    insert, _, keyed = parts
    asyncio.run(insert(SPANS, ROWS))
    assert keyed.stored == 0
    placed = ROWS.append_column("session_id", [["s"]]).append_column("window_start", [[0]])
    asyncio.run(insert(TRACES, placed))
    assert keyed.stored == 1
