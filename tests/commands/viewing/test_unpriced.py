"""Why calls of a model have no known cost, and the lines for a price file, as `models --unpriced` shows them."""

from __future__ import annotations

import io
import tomllib
from decimal import Decimal
from typing import Any

from rich.console import Console

from spanloom.commands.viewing import unpriced
from spanloom.spans.pricing.price_table import PriceTable
from spanloom.warehouse.queries.answers import ModelUsage
from tests.spans.reading.otlp_examples import PRICES


def row(**values: Any) -> ModelUsage:
    counts: dict[str, Any] = dict.fromkeys(ModelUsage.model_fields, 0)
    given = {"provider": "openai", "model": "mystery", "call_count": 9, "unpriced_call_count": 6}
    return ModelUsage(**counts | given | values)


def printed(*rows: ModelUsage, width: int = 200) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(unpriced.unpriced(unpriced.explained(rows, PRICES)))
    return console.export_text()


def reasons(given: ModelUsage) -> list[str]:
    [found] = unpriced.explained([given], PRICES)
    return found.reasons


def test_each_kind_of_call_has_its_reason() -> None:
    assert reasons(row(only_total_call_count=2, untold_call_count=1)) == [
        "3 calls: no price for mystery at openai",
        "2 calls: only a total told, not how many tokens were input and how many output",
        "1 call: no usage told: neither tokens nor a cost",
    ]


def test_there_are_lines_only_where_a_price_helps() -> None:
    found = unpriced.explained(
        [
            row(only_total_call_count=2),
            row(untold_call_count=6),
            row(model="", provider=""),
            row(model="gpt-4o"),
            row(model="MYSTERY"),
            row(model="llama-3", provider="my-server"),
        ],
        PRICES,
    )
    assert [bool(each.price_entry) for each in found] == [True, False, False, False, True, True]
    text = unpriced.entries(found)
    assert text.count("[[price]]") == 2
    filled = text.replace("input = ", "input = 1").replace("output = ", "output = 2")
    table = PriceTable(tomllib.loads(filled, parse_float=Decimal)["price"])
    assert len(table) == 2
    assert all(table.find(each.provider, each.model) for each in found if each.price_entry)


def test_the_table_comes_first_and_names_can_not_move_the_cursor() -> None:
    text = printed(row(), row(model="a\x1b[31mb", provider="c\nd"), row(model="", provider=""))
    assert text.splitlines()[0].split() == ["provider", "model", "calls", "tokens", "cost", "price"]
    assert "mystery at openai\n    6 calls: no price for mystery at openai\n" in text
    assert "no model\n    6 calls: no model named\n" in text
    assert "SPANLOOM_WORKER__PRICES_FILE" in text
    assert "\x1b" not in text + unpriced.entries(unpriced.explained([row(model="a\x1b[31mb")], PRICES))
    assert "SPANLOOM" not in printed(row(untold_call_count=6))
