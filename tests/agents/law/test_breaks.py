"""The law has teeth: each deliberate break of the worker is found."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from tests.agents.law.breaks import BREAKS
from tests.agents.law.cases import cases
from tests.agents.law.judge import holds


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BREAKS[name](monkeypatch)
    found = find(
        cases(),
        lambda case: not holds(case),
        settings=settings(
            max_examples=6_000,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    monkeypatch.undo()
    assert holds(found)
