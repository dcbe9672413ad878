"""The law where state is kept over a rebalance whose commit was refused: the records come again, and change nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanloom.agents.consuming.records import Partition
from tests.agents.law.cases import Case, cases
from tests.agents.law.judge import expected
from tests.agents.law.memory_warehouse import TRACES, WINDOWS
from tests.agents.law.simulation import Simulation


class CommitsRefused(Simulation):
    """A worker of whose commits some are refused, by their number, and which goes on with the state it has."""

    refused: Collection[int] = ()
    commits = 0

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        self.commits += 1
        if self.commits not in self.refused:
            await super()._acknowledge(offsets)


@settings(
    max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 5,
    suppress_health_check=[HealthCheck.too_slow],
    deadline=None,
)
@given(cases(), st.frozensets(st.integers(1, 12), min_size=1))
def test_records_that_come_again_to_a_state_that_has_them_change_no_row(
    case: Case, refused: frozenset[int]
) -> None:
    simulation = CommitsRefused(case.began, served=case.served, partitions=case.partitions)
    simulation.refused = refused
    for number, one in enumerate(case.messages):
        simulation.produce(case.payload(number), one.timestamp, one.partition)
    asyncio.run(simulation.run(case.steps))
    traces, windows = expected(case, simulation.forgotten)
    assert simulation.warehouse.live(TRACES) == traces
    assert simulation.warehouse.live(WINDOWS) == windows
