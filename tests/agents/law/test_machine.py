"""The law as a machine: whatever happens to a worker, in whatever order, at every step all holds that can hold there,
and in the end ClickHouse shows the rows of all spans folded once.

Long runs: `TEST_EXAMPLES=2000 pytest tests/agents/law/test_machine.py`, or by the settings of
hypothesis (`Law.TestCase.settings = settings(max_examples=..., stateful_step_count=...)`).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.agents.law.steps.machine import Worker

TestMachine = Worker.TestCase
TestMachine.settings = settings(
    max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 4,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
