"""How times and numbers read before the browser puts them into its own language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from spanloom.dashboard.rendering import wording

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3 * 86_400, "in 3 d"),
        (-7201, "in 2 h"),
        (-90, "in 1 min"),
        (-5, "in 5 s"),
        (-4.9, "now"),
        (0, "now"),
        (4.9, "now"),
        (12, "12 s ago"),
        (90, "1 min ago"),
        (7200, "2 h ago"),
        (3 * 86_400, "3 d ago"),
    ],
)
def test_ago(seconds: float, text: str) -> None:
    time = NOW - timedelta(seconds=seconds)
    assert wording.ago(time, NOW) == text
    assert wording.is_ahead(time, NOW) == text.startswith("in ")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0, "0 ms"),
        (0.0312, "31 ms"),
        (3.21, "3.2 s"),
        (59.99, "60.0 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_seconds(duration: float, text: str) -> None:
    assert wording.seconds(duration) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (0.0000001, "<$0.000001"),
        (0.00001234, "$0.0000123"),
        (0.25, "$0.25"),
        (1, "$1.00"),
        (1234.5, "$1,234.50"),
    ],
)
def test_usd(amount: float, text: str) -> None:
    assert wording.usd(amount) == text


@dataclass
class Spent:
    total_cost: float
    unpriced_call_count: int


@pytest.mark.parametrize(
    ("cost", "unpriced", "text"), [(0, 0, "$0"), (0.5, 0, "$0.5"), (0.5, 2, "≥ $0.5"), (0, 2, "?")]
)
def test_a_cost_that_is_not_known_is_not_shown_as_free(cost: float, unpriced: int, text: str) -> None:
    assert wording.cost(Spent(cost, unpriced)) == text
    assert bool(wording.unknown_costs(Spent(cost, unpriced))) == (text[0] in "≥?")


def test_calls_of_unknown_cost_are_counted() -> None:
    assert wording.unknown_costs(Spent(0, 1)).startswith("1 call of unknown cost: no price for the model")
    assert wording.unknown_costs(Spent(0, 1200)).startswith("1,200 calls of unknown cost: ")
