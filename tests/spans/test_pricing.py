"""Costs: given ones win, known models are priced exactly, unknown ones cost nothing and say so."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice

from spans.pricing import Prices, TokenUsage
from tests.spans.otlp_examples import PRICES, START, row

MODEL = {"gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o-mini-2024-07-18"}
TOKENS = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}


def library_cost(model: str, provider: str, start: int, usage: TokenUsage) -> int:
    """What genai-prices itself says, in picodollars."""
    result = calc_price(
        Usage(
            input_tokens=usage.input,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=datetime.fromtimestamp(start / 1e9, UTC),
    )
    return round(result.total_price * 10**12)


def known_models() -> list[tuple[str, str]]:
    """Two models of each provider, and every model with tiers or several prices."""
    found = []
    for provider in get_snapshot().providers:
        for i, model in enumerate(provider.models):
            several = not isinstance(model.prices, ModelPrice)
            if i < 2 or several or "TieredPrices" in repr(model.prices):
                found.append((provider.id, model.id))
    return found


USAGES = [
    TokenUsage(0, 0),
    TokenUsage(1000, 100),
    TokenUsage(1000, 100, 400, 200),
    TokenUsage(200_000, 7, 100_000, 50_000),
    TokenUsage(200_001, 7, 100_000, 50_000),
    TokenUsage(3_000_000, 100_000, 1, 2),
]
TIMES = [START, 1_600_000_000_000_000_000, START + 43_200_000_000_000]


def test_prices_are_those_of_the_library() -> None:
    checked = 0
    for provider, model in known_models():
        for usage in USAGES:
            for start in TIMES:
                costs = PRICES.price(model, provider, start, usage)
                if costs is None:
                    continue
                try:
                    expected = library_cost(model, provider, start, usage)
                except (LookupError, ValueError):
                    continue
                assert abs(costs.total - expected) <= 2, (provider, model, usage, start)
                checked += 1
    assert checked > 1000


def test_a_tier_begins_above_its_start() -> None:
    below, above = (
        PRICES.price("gemini-2.5-pro", "google", START, TokenUsage(n, 0)) for n in (200_000, 200_001)
    )
    assert below is not None
    assert above is not None
    assert above.total > below.total * 1.9


def test_cached_tokens_beyond_the_input_make_nothing_negative() -> None:
    costs = PRICES.price("gpt-4o", "openai", START, TokenUsage(10, 0, 500, 0))
    assert costs is not None
    assert costs.input == 500 * 1_250_000


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai.chat", "gpt-4o"),
        ("OpenAI", "gpt-4o"),
        ("", "gpt-4o"),
        ("langchain", "gpt-4o"),
        ("azure.ai.openai", "gpt-4o"),
        ("az.ai.inference", "gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0"),
        ("gcp.vertex_ai", "gemini-2.5-pro"),
        ("gcp.gemini", "gemini-2.5-pro"),
        ("google.generative-ai", "gemini-2.5-pro"),
        ("x_ai", "grok-3"),
        # genai-prices 0.2.3 (PyPI): what `model_match` of its provider openai doesn't know
        ("", "text-embedding-3-small"),
        ("", "text-embedding-ada-002"),
        ("", "chatgpt-4o-latest"),
        ("", "text-davinci-003"),
    ],
)
def test_providers_by_many_names(provider: str, model: str) -> None:
    assert PRICES.price(model, provider, START, TokenUsage(1000, 100)) is not None


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model"),
        ("", "no-such-model"),
        ("", "text-embedding-3-of-mine"),
        ("my-own-server", "text-embedding-3-small"),
        ("my-own-server", "gpt-4o"),
        ("", ""),
        ("openai", "x" * 9999),
    ],
)
def test_the_unknown_is_never_guessed(provider: str, model: str) -> None:
    assert PRICES.price(model, provider, START, TokenUsage(1000, 100)) is None


def test_a_price_is_looked_up_once() -> None:
    prices = Prices()
    prices.price("gpt-4o", "openai", START, TokenUsage(1, 1))
    began = time.process_time()
    for i in range(10_000):
        prices.price("gpt-4o", "openai", START, TokenUsage(i, 1))
    assert time.process_time() - began < 0.5


def test_model_names_from_outside_do_not_fill_memory() -> None:
    prices = Prices()
    for i in range(5000):
        assert prices.price(f"model-{i}-xyz", "openai", START, TokenUsage(1, 1)) is None
    assert len(prices._models) <= 4096


def costs(attributes: dict[str, Any]) -> tuple[Any, ...]:
    found = row(attributes)
    return found["input_cost"], found["output_cost"], found["total_cost"], found["priced"]


class TestCosts:
    def test_computed(self) -> None:
        assert costs(MODEL | TOKENS) == (0.00015, 0.00006, 0.00021, 1)

    def test_with_cached_tokens(self) -> None:
        cached = {"gen_ai.usage.cache_read.input_tokens": 400}
        assert costs(MODEL | TOKENS | cached) == (0.00012, 0.00006, 0.00018, 1)

    def test_unknown_models_cost_nothing_and_say_so(self) -> None:
        assert costs(MODEL | TOKENS | {"gen_ai.response.model": "mystery"}) == (0, 0, 0, 0)

    def test_without_tokens_the_cost_is_not_known(self) -> None:
        assert costs(MODEL) == (0, 0, 0, 0)

    def test_no_tokens_used_is_known_to_cost_nothing(self) -> None:
        assert costs(MODEL | {"gen_ai.usage.input_tokens": 0}) == (0, 0, 0, 1)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (
                {"gen_ai.usage.input_cost": 1, "gen_ai.usage.output_cost": 2.5, "gen_ai.usage.cost": 4},
                (1, 2.5, 4, 1),
            ),
            ({"gen_ai.usage.input_cost": "1", "gen_ai.usage.output_cost": "2"}, (1, 2, 3, 1)),
            ({"gen_ai.usage.cost": 4}, (0, 0, 4, 1)),
            ({"gen_ai.usage.cost": 0}, (0, 0, 0, 1)),
            ({"llm.cost.prompt": 1.0, "llm.cost.completion": 2.0, "llm.cost.total": 3.0}, (1, 2, 3, 1)),
            ({"langfuse.observation.cost_details": '{"input": 1, "output": 2, "total": 3}'}, (1, 2, 3, 1)),
            ({"operation.cost": 0.0013025}, (0, 0, 0.0013025, 1)),
            ({"operation.cost": 1, "gen_ai.usage.cost": 2}, (0, 0, 2, 1)),
            ({"llm.cost.total": 1, "gen_ai.usage.cost": 2}, (0, 0, 2, 1)),
        ],
    )
    def test_given_costs_win(self, given: dict[str, Any], expected: tuple[float, ...]) -> None:
        assert costs(MODEL | TOKENS | given) == expected

    @pytest.mark.parametrize("value", [-1, "nan", "inf", "free", 10**6, True, "", [1]])
    def test_invalid_costs_are_absent(self, value: Any) -> None:
        assert costs(MODEL | TOKENS | {"gen_ai.usage.cost": value}) == (0.00015, 0.00006, 0.00021, 1)

    def test_an_absurd_computed_cost_is_not_known(self) -> None:
        assert costs(MODEL | {"gen_ai.usage.input_tokens": 10**12}) == (0, 0, 0, 0)

    def test_costs_are_whole_picodollars(self) -> None:
        total = row({"gen_ai.usage.cost": 0.1234567890123456})["total_cost"]
        assert Decimal(repr(total)) == Decimal("0.123456789012")
