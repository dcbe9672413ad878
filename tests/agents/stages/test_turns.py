"""A long computation hands over between its steps, a short one does not."""

from __future__ import annotations

import asyncio

import pytest

from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages import turns
from spanloom.agents.stages.turns import LONGEST, Turn
from spanloom.kafka.topics import SPAN_FACTS
from spanloom.spans.folding import facts as facts_codec
from tests.agents.state.test_put_off import NOW, Worker
from tests.spans.examples import KEY, call


def test_others_run_once_a_turn_has_been_long_and_not_before() -> None:
    ran: list[int] = []
    now = 0.0

    async def steps() -> None:
        nonlocal now
        turn = Turn(lambda: now)
        for number in range(6):
            asyncio.get_running_loop().call_soon(ran.append, number)
            now += LONGEST * 0.6
            await turn.hand_over_if_long()
            if number % 2 == 0:
                assert len(ran) == number
            else:
                assert ran == list(range(number + 1))

    asyncio.run(steps())
    assert ran == list(range(6))


def test_others_run_between_the_records_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST", 0.0)
    stage = Worker().stage
    records = [
        SourceRecord(SPAN_FACTS, 0, offset, NOW, facts_codec.encode_traces({KEY: [call(offset, 0)]}), {})
        for offset in range(1, 11)
    ]
    ran = 0

    async def other() -> None:
        nonlocal ran
        while True:
            ran += 1
            await asyncio.sleep(0)

    async def batch() -> None:
        beside = asyncio.create_task(other())
        await stage(records)
        beside.cancel()

    asyncio.run(batch())
    assert ran >= len(records)
