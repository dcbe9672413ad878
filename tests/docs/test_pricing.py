"""docs/pricing.md: the example is a file that workers take, and gives the prices that the text around it names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spanloom.commands.serving.price_file import read_prices
from spanloom.spans.pricing.price_table import _MEMBERS
from spanloom.spans.pricing.prices import Prices, TokenUsage
from tests.docs.generated import ROOT

_PAGE = (ROOT / "docs" / "pricing.md").read_text()
_MILLION = 10**6
_DOLLAR = 10**12


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    [example] = re.findall(r"```toml\n(.*?)```", _PAGE, re.DOTALL)
    path = tmp_path / "prices.toml"
    path.write_text(example)
    return Prices(read_prices(str(path)))


@pytest.mark.parametrize(
    ("provider", "model", "day", "dollars"),
    [
        ("vllm", "llama-3.3-70b", (2026, 1, 1), (0.6, 0.8)),
        ("openai", "gpt-4o-2024-08-06", (2026, 6, 30), (2.25, 9)),
        ("azure.ai.openai", "gpt-4o", (2026, 7, 1), (2, 8)),
        ("", "support-bot", (2026, 1, 1), (3, 15)),
        ("anything", "Support-Bot", (2026, 1, 1), (3, 15)),
        # Not in the example: the public price.
        ("openai", "gpt-4.1", (2026, 1, 1), (2, 8)),
    ],
)
def test_the_example_prices_what_it_says(
    prices: Prices, provider: str, model: str, day: tuple[int, int, int], dollars: tuple[float, float]
) -> None:
    start = int(datetime(*day, tzinfo=UTC).timestamp()) * 10**9
    cost = prices.price(model, provider, start, TokenUsage(_MILLION, _MILLION))
    assert cost is not None
    assert (cost.input / _DOLLAR, cost.output / _DOLLAR) == dollars


def test_every_member_is_named() -> None:
    table = re.findall(r"^\| (`.*?) \|", _PAGE.partition("| member |")[2], re.MULTILINE)
    assert {name for cell in table for name in re.findall(r"`(\w+)`", cell)} == set(_MEMBERS)
