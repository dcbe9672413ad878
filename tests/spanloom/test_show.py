from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spanloom import show

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123, "12 ms"),
        (3.44, "3.4 s"),
        (310, "5 min 10 s"),
        (7380, "2 h 3 min"),
        (3_600_000, "1,000 h 0 min"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert show.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 s ago"), (180, "3 min ago"), (7200, "2 h ago"), (200_000, "2 d ago"), (-5, "in the future")],
)
def test_times_are_told_from_now(seconds: int, text: str) -> None:
    assert show.ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_previews_are_one_line_without_control_characters() -> None:
    assert show.preview("a\n\tb\x1b[31m\x00 c").plain == "a b[31m c"
    assert len(show.preview("x" * 5000).plain) == 200
