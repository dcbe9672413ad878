from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console, RenderableType

from spanloom.commands.viewing import show
from spanloom.warehouse.queries.answers import ModelUsage

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
def test_times_are_shown_relative_to_now(seconds: int, text: str) -> None:
    assert show.ago(NOW - timedelta(seconds=seconds), NOW) == text


def model_row(**values: Any) -> ModelUsage:
    counts: dict[str, Any] = dict.fromkeys(ModelUsage.model_fields, 0)
    return ModelUsage(**counts | {"provider": "openai", "model": "gpt-4o", "call_count": 3} | values)


def printed(content: RenderableType, width: int = 200) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(content)
    return console.export_text()


@pytest.mark.parametrize(
    ("dollars", "unpriced", "text"),
    [
        (0, 0, "$0.0000"),
        (0, 1, "?"),
        (0.00002, 0, "<$0.0001"),
        (0.00002, 1, "<$0.0001 + ?"),
        (0.00005, 0, "$0.0001"),
        (1234.5, 1, "$1234.5000 + ?"),
    ],
)
def test_a_small_cost_is_not_shown_as_none(dollars: float, unpriced: int, text: str) -> None:
    assert show.cost(model_row(total_cost=dollars, unpriced_call_count=unpriced)) == text


def test_models_without_a_price_stand_out_and_say_what_to_do() -> None:
    rows = [
        model_row(model="mystery", unpriced_call_count=3, input_tokens=10, total_tokens=10),
        model_row(model="changed", unpriced_call_count=1, total_cost=0.5),
        model_row(model="", provider="", unpriced_call_count=3),
        model_row(total_cost=0.25),
    ]
    head, *lines = printed(show.models(rows)).splitlines()
    assert head.split() == ["provider", "model", "calls", "tokens", "cost", "price"]
    assert lines[0].split() == ["openai", "mystery", "3", "10", "→", "0", "(10)", "?", "unknown"]
    assert lines[1].rstrip().endswith("$0.5000 + ?  unknown for 1")
    assert "none named" in lines[2]
    assert "known" in lines[3]
    assert "unknown" not in lines[3]
    advice = " ".join(lines[4:])
    assert "3 models have calls whose cost is not known" in advice
    assert "SPANLOOM_WORKER__PRICES_FILE" in advice
    assert "PRICES_FILE" not in printed(show.models(rows[3:]))


def test_a_models_name_can_not_move_the_cursor() -> None:
    assert "\x1b" not in printed(show.models([model_row(model="a\x1b[31mb", provider="c\nd")]))


@pytest.mark.parametrize("width", [60, 80])
def test_models_fit_a_narrow_terminal(width: int) -> None:
    text = printed(show.models([model_row(model="a-very-long-name-" * 10, unpriced_call_count=3)]), width)
    assert max(map(len, text.splitlines())) <= width
    assert "unknown" in text


def test_previews_are_one_line_without_control_characters() -> None:
    assert show.preview("a\n\tb\x1b[31m\x00 c").plain == "a b[31m c"
    assert len(show.preview("x" * 5000).plain) == 200
