"""A user's own prices: what they say, which one counts, and the sentence for an impossible one."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from spanloom.spans.limits import Limits
from spanloom.spans.pricing.price_table import PriceTable, PriceTableError
from spanloom.spans.pricing.prices import CallCosts, Prices, TokenUsage
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.spans.reading.otlp_examples import START, request, rows, span

MILLION = 10**6
DOLLAR = 10**12
USAGE = TokenUsage(MILLION, MILLION)


def price(model: str, start: int, *entries: dict[str, Any], provider: str = "openai") -> CallCosts | None:
    return Prices(PriceTable(entries)).price(model, provider, start, USAGE)


def entry(model: Any = "mine", **members: Any) -> dict[str, Any]:
    return {"model": model, "input": 1, "output": 2} | members


def dollars(model: str, *entries: dict[str, Any], provider: str = "openai") -> float | None:
    found = price(model, START, *entries, provider=provider)
    return None if found is None else found.input / DOLLAR


def ns(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 10**9


def test_own_prices_go_before_those_of_the_library() -> None:
    assert price("gpt-4o", START, entry("gpt-4o")) == CallCosts(DOLLAR, 2 * DOLLAR, 3 * DOLLAR)
    assert dollars("gpt-4o-mini", entry("gpt-4o")) == 0.15


def test_a_model_that_nobody_else_knows_has_a_price() -> None:
    assert dollars("mine", entry(), provider="my-own-server") == 1
    assert dollars("mine", entry(), provider="") == 1


def test_a_cost_on_the_span_wins_over_both() -> None:
    tokens = {"gen_ai.usage.input_tokens": MILLION, "gen_ai.usage.output_tokens": MILLION}
    attributes = {"gen_ai.response.model": "gpt-4o"} | tokens
    prices = Prices(PriceTable([entry("gpt-4o")]))

    def total(given: dict[str, Any]) -> float:
        message = OtlpMessage(request(span(attributes | given)))
        return float(rows(decode([message], limits=Limits(), prices=prices))[0]["total_cost"])

    assert total({}) == 3
    assert total({"gen_ai.usage.cost": 7}) == 7


def test_a_price_of_nothing_is_a_price() -> None:
    assert price("mine", START, entry(input=0, output=0)) == CallCosts(0, 0, 0)


def test_cached_tokens_have_prices_of_their_own() -> None:
    prices = Prices(PriceTable([entry(input=10, cache_read=1, cache_write=Decimal("12.5"))]))
    costs = prices.price("mine", "", START, TokenUsage(MILLION, 0, 500_000, 200_000))
    assert costs == CallCosts(6 * DOLLAR, 0, 6 * DOLLAR)


def test_without_prices_of_their_own_cached_tokens_cost_what_input_costs() -> None:
    prices = Prices(PriceTable([entry(input=10)]))
    assert prices.price("mine", "", START, TokenUsage(MILLION, 0, 500_000, 200_000)) == CallCosts(
        10 * DOLLAR, 0, 10 * DOLLAR
    )


def test_prices_are_exact() -> None:
    prices = Prices(PriceTable([entry(input=Decimal("0.1"), output=0.7)]))
    assert prices.price("mine", "", START, TokenUsage(3, 3)) == CallCosts(300_000, 2_100_000, 2_400_000)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("mine", "mine", True),
        ("mine", "mine-2", False),
        ("MINE", "Mine", True),
        ("mine*", "mine", True),
        ("mine*", "mine-2", True),
        ("mine*", "my mine", False),
        ("*mine", "my/mine", True),
        ("*", "anything", True),
        ("a*b*c", "abc", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a**b", "ab", True),
        ("*b*", "abc", True),
        ("llama.3*", "llama-3-70b", False),
        ("мой-*", "МОЙ-1", True),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert (dollars(name, entry(pattern), provider="none") is not None) == fits


def test_a_provider_is_a_pattern_too() -> None:
    only = entry(provider="my-*")
    assert dollars("mine", only, provider="My-Gateway") == 1
    assert dollars("mine", only, provider="yours") is None
    assert dollars("mine", only, provider="") is None


def test_the_first_entry_that_fits_counts() -> None:
    assert dollars("mine-large", entry("mine-large", input=5), entry("mine-*", input=1)) == 5
    assert dollars("mine-large", entry("mine-*", input=1), entry("mine-large", input=5)) == 1
    assert dollars("mine", entry(provider="other", input=5), entry(input=1)) == 1


class TestTime:
    OVER_TIME = (
        entry(input=1),
        entry(input=3, **{"from": date(2026, 7, 1)}),
        entry(input=2, **{"from": date(2026, 1, 1)}),
    )

    @pytest.mark.parametrize(
        ("start", "expected"),
        [
            (0, 1),
            (ns(2026, 1, 1) - 1, 1),
            (ns(2026, 1, 1), 2),
            (ns(2026, 7, 1) - 1, 2),
            (ns(2026, 7, 1), 3),
            (2**64 - 1, 3),
        ],
    )
    def test_the_price_of_the_spans_start_counts(self, start: int, expected: int) -> None:
        found = price("mine", start, *self.OVER_TIME)
        assert found is not None
        assert found.input == expected * DOLLAR

    def test_before_the_first_price_the_next_entry_that_fits_counts(self) -> None:
        later = entry("gpt-4o", input=9, **{"from": date(2026, 1, 1)})
        any_model = entry("*", input=5)
        before = ns(2025, 12, 31)
        for entries, expected in (((later, any_model), 5 * DOLLAR), ((later,), 2.5 * DOLLAR)):
            found = price("gpt-4o", before, *entries)
            assert found is not None
            assert found.input == expected

    @pytest.mark.parametrize(
        "since",
        [
            date(2026, 1, 1),
            datetime(2026, 1, 1),
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        ],
    )
    def test_dates_begin_at_midnight_utc(self, since: date) -> None:
        dated = entry(**{"from": since})
        assert price("mine", ns(2026, 1, 1) - 1, dated) is None
        assert price("mine", ns(2026, 1, 1), dated) is not None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("text", "price 2 is no table"),
        (entry(inputs=1), "price 2 (mine): there is no member `inputs`: use provider, model, input,"),
        ({"input": 1, "output": 1}, "price 2: `model` is missing"),
        ({"model": "m", "output": 1}, "price 2 (m): `input` is missing"),
        ({"model": "m", "input": 1}, "price 2 (m): `output` is missing"),
        (entry(input=-1), "price 2 (mine): `input` must be from 0 to 1,000,000 USD a million tokens"),
        (entry(output=1e9), "`output` must be from 0 to"),
        (entry(input=Decimal("nan")), "`input` must be from 0 to"),
        (entry(cache_read=float("inf")), "`cache_read` must be from 0 to"),
        (entry(cache_write="1"), "`cache_write` must be a number"),
        (entry(input=True), "`input` must be a number"),
        (entry(model=""), "`model` must be a text of 1 to 256 characters"),
        (entry(model=5), "`model` must be a text"),
        (entry(model="x" * 257), "`model` must be a text"),
        (entry(provider=" "), "`provider` must be a text"),
        (entry(model="gpt-?"), "only `*` stands for other characters"),
        (entry(model="gpt-[45]"), "only `*` stands for other characters"),
        (entry(**{"from": "2026-01-01"}), "`from` must be a date such as 2026-07-01, without quotes"),
        (entry("first"), "price 2 (first): another price has the same provider, model and `from`"),
    ],
)
def test_an_impossible_entry_is_one_sentence(wrong: Any, sentence: str) -> None:
    with pytest.raises(PriceTableError) as caught:
        PriceTable([entry("first"), wrong])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_from_outside_take_no_time_with_any_pattern() -> None:
    table = PriceTable([entry("a*" * 100 + "b")])
    began = time.process_time()
    for _ in range(1000):
        assert table.find("", "a" * 256) == ()
    assert time.process_time() - began < 1
