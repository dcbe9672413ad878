"""The law of the worker: whatever is repeated, reordered, batched otherwise, killed, given away, forgotten and found
again, ClickHouse shows the rows of all spans folded once."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings

from tests.agents.law.cases import Case, cases
from tests.agents.law.judge import expected, run
from tests.agents.law.memory_warehouse import TRACES, WINDOWS


@settings(
    max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 25,
    suppress_health_check=[HealthCheck.too_slow],
    deadline=None,
)
@given(cases())
def test_nothing_that_happens_on_the_way_changes_a_row(case: Case) -> None:
    traces, windows = expected(case)
    warehouse = run(case)
    assert warehouse.live(TRACES) == traces
    assert warehouse.live(WINDOWS) == windows
