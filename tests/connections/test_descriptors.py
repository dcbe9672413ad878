"""Room for connections under a limit of open files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.connections.descriptors import room


def test_a_high_limit_leaves_room_for_all_that_are_wanted() -> None:
    assert room(65_536, 2048, 2) == 2048
    assert room(1024, 2048) == 1024 - 128


def test_a_low_limit_leaves_half_to_the_process() -> None:
    assert room(128, 2048) == 64
    assert room(128, 2048, 2) == 32


@given(st.integers(80, 1 << 20), st.integers(1, 1 << 16), st.integers(1, 2))
def test_all_ports_together_leave_files_in_reserve(limit: int, wanted: int, ports: int) -> None:
    found = room(limit, wanted, ports)
    assert 1 <= found <= max(wanted, 4)
    assert found * ports <= limit - 64
