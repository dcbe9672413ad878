"""Some hundred random requests of each kind; `make fuzz-live` sends more, for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.live.attack import attack
from tests.running_stack import Up

_STEPS = 8


@pytest.mark.stack
def test_no_request_ends_in_a_failure_of_ours(tmp_path: Path) -> None:
    with Up(tmp_path / "data") as up:
        outcome = attack(up, 10, (step / _STEPS for step in range(_STEPS)))
    assert outcome.findings == {}
    assert {answer for answer in outcome.answers if answer.endswith(" 200") or answer.endswith("OK")} == {
        "dashboard: 200",
        "receiver: 200",
        "grpc: OK",
    }
