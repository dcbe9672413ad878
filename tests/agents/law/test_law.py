"""The law of the worker: whatever is repeated, reordered, batched otherwise, killed, given away, forgotten and found
again, ClickHouse shows the rows of all spans folded once."""

from __future__ import annotations

import asyncio
import os

from hypothesis import HealthCheck, given, settings

from spanloom.spans.folding.facts import TraceKey, partition_of
from tests.agents.law.cases import HOUR, START, Case, cases
from tests.agents.law.judge import expected, run, spans_are_gone, texts_are_gone
from tests.agents.law.memory_warehouse import TRACES, WINDOWS
from tests.agents.law.simulation import PARTITIONS, Simulation, Step
from tests.integration.otlp import llm, message, span


@settings(
    max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 25,
    suppress_health_check=[HealthCheck.too_slow],
    deadline=None,
)
@given(cases())
def test_nothing_that_happens_on_the_way_changes_a_row(case: Case) -> None:
    simulation = run(case)
    warehouse = simulation.warehouse
    traces, windows = expected(case, simulation.forgotten)
    assert warehouse.live(TRACES) == traces
    assert warehouse.live(WINDOWS) == windows
    assert not warehouse.ambiguous
    assert spans_are_gone(simulation)
    assert texts_are_gone(simulation)


def test_a_checkpoint_cut_before_its_clock_leaves_no_version_with_two_contents() -> None:
    """Ingest has run ahead, so what is adopted from ClickHouse holds a span whose record comes only later."""
    keys = [TraceKey("default", number.to_bytes(16)) for number in range(1, 20)]
    together = [key.trace_id for key in keys if partition_of(key, PARTITIONS) == 0]
    first, second = together[:2]
    begin = START * 1_000_000
    simulation = Simulation(START - 24 * HOUR)
    for number, spans in enumerate(
        (
            [span(first, 1, start=begin, session__id="s")],
            [llm(second, 2, 1, start=begin, session__id="s")],
            [llm(second, 3, 1, start=begin, session__id="s")],
        )
    ):
        simulation.produce(message(*spans), START + number)
    steps = [
        *[Step("ingest", 1)] * 3,
        Step("traces", 2, crash=("changelog", 2)),
        Step("sessions", 9),
        Step("traces", 1),
        Step("sessions", 9),
    ]
    asyncio.run(simulation.run(steps))
    (window,) = simulation.warehouse.live(WINDOWS).values()
    assert (window["trace_count"], window["span_count"]) == (2, 3)
