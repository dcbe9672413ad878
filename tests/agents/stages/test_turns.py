"""A long computation hands over between its steps, a short one does not."""

from __future__ import annotations

import asyncio

from spanloom.agents.stages.turns import LONGEST, Turn


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
