from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest

from spanloom.agents.consuming.records import Partition
from spanloom.agents.stages.checkpoint import PartitionsLost, Writes, checkpoint
from spanloom.kafka.producer import Record


class Outlets:
    """Notes what is written in which order; fails at one step."""

    def __init__(self, fails_at: str = "", lost_after: str = "never") -> None:
        self.steps: list[str] = []
        self._lost_after = lost_after
        self._fails_at = fails_at

    async def rows(self, table: str, _: pa.Table) -> None:
        await self._step(table)

    async def records(self, topic: str, _: Sequence[Record]) -> None:
        await self._step(topic)

    async def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        await self._step(f"acknowledge {dict(offsets)}")

    def ours(self) -> bool:
        return self._lost_after not in self.steps

    async def _step(self, name: str) -> None:
        await asyncio.sleep(0)  # a step that is not awaited would be overtaken here
        if name == self._fails_at:
            raise RuntimeError(name)
        self.steps.append(name)


def run(outlets: Outlets, writes: Writes) -> None:
    asyncio.run(
        checkpoint(
            writes,
            rows=outlets.rows,
            records=outlets.records,
            acknowledge=outlets.acknowledge,
            still_ours=outlets.ours,
        )
    )


def writes() -> Writes:
    some = [Record(0, b"key", b"value")]
    return Writes(
        rows=[("rows", pa.table({"a": [1]})), ("no rows", pa.table({"a": pa.array([], pa.int64())}))],
        messages={"messages": some, "no messages": []},
        state={"state": some},
        offsets={("source", 3): 9},
    )


def test_the_order_is_rows_messages_state_acknowledgement() -> None:
    outlets = Outlets()
    run(outlets, writes())
    assert outlets.steps == ["rows", "messages", "state", "acknowledge {('source', 3): 9}"]


@pytest.mark.parametrize(
    ("step", "before"), [("rows", []), ("messages", ["rows"]), ("state", ["rows", "messages"])]
)
def test_after_a_step_that_failed_nothing_happens(step: str, before: list[str]) -> None:
    outlets = Outlets(fails_at=step)
    with pytest.raises(RuntimeError):
        run(outlets, writes())
    assert outlets.steps == before


def test_once_the_partitions_are_lost_no_record_is_produced() -> None:
    for lost_after, steps in (("rows", ["rows"]), ("messages", ["rows", "messages"])):
        outlets = Outlets(lost_after=lost_after)
        with pytest.raises(PartitionsLost):
            run(outlets, writes())
        assert outlets.steps == steps
