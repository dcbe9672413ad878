"""Prices in a second public table, `model-prices`, beside those that spanloom finds.

Its data come from models.dev's history and the makers' own pages, each price with its source and the date from which on
it holds; nothing is taken from `genai-prices`. It knows the makers' own prices, no resellers'.

`python -m tests.spans.pricing.second_table` prints the differences that no group of differences.toml explains, and
those that are explained there and are gone.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import model_prices

from spanloom.spans.pricing.prices import Prices
from spanloom.spans.pricing.rates import TokenParts, TokenUsage
from spanloom.spans.table import PICODOLLARS

REVIEWED = Path(__file__).with_name("differences.toml")

DAYS = ((2026, 1, 15), (2026, 6, 15), (2026, 10, 26))
"""The last is the day of the table; at 20 o'clock, when DeepSeek asks the same in both tables' reckoning."""

AGREE = 0.01
"""Two prices that differ by no more than this part of the larger one are the same."""

_PROVIDERS = {
    # Its names, and what a span has in gen_ai.provider.name; others are looked up under its own.
    "alibaba": "alibaba_cloud",
    "amazon-bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshotai": "moonshot_ai",
    "nova": "amazon_nova",
    "xai": "x_ai",
}

_N = 1000
_LONG = 10**6
_CALLS = {
    # What is compared, and the calls whose costs differ by just that many tokens.
    "input": (TokenUsage(_N, 0), TokenUsage(0, 0)),
    "output": (TokenUsage(0, _N), TokenUsage(0, 0)),
    "cache_read": (TokenUsage(_N, 0, _N), TokenUsage(0, 0)),
    "cache_write": (TokenUsage(_N, 0, 0, _N), TokenUsage(0, 0)),
    "cache_write_1h": (TokenUsage(_N, 0, 0, _N, TokenParts(cache_write_1h=_N)), TokenUsage(0, 0)),
    "long_input": (TokenUsage(_LONG, 0), TokenUsage(0, 0)),
    "long_output": (TokenUsage(_LONG, _N), TokenUsage(_LONG, 0)),
}


def names() -> list[tuple[str, str]]:
    """Every provider and model of the table, as a span names them."""
    return [(_PROVIDERS.get(provider, provider), model) for provider, model in _entries()]


def differences() -> Iterator[str]:
    """What differs by more than 1 %: `DAY PROVIDER/MODEL: WHAT ours/theirs, …`, USD a million tokens."""
    prices = Prices()
    for day in DAYS:
        at = datetime(*day, 20, tzinfo=UTC)
        for provider, model in _entries():
            rates = model_prices.rates(model, at, provider=provider)
            if rates is None or (rates.provider, rates.model, rates.removed_suffix) != (provider, model, ""):
                continue
            if datetime.fromisoformat(rates.valid_from) > at:
                continue  # it knows no price of that day, and gives the first one it knows
            found = _differences(prices, provider, model, at, rates)
            if found:
                yield f"{at:%Y-%m-%d} {provider}/{model}: {', '.join(found)}"


def reviewed() -> list[dict[str, Any]]:
    """The groups of differences.toml, each with `reason` and `differences`."""
    groups: list[dict[str, Any]] = tomllib.loads(REVIEWED.read_text())["group"]
    return groups


def _entries() -> list[tuple[str, str]]:
    table = json.loads(files("model_prices").joinpath("snapshot.json").read_text())
    return [(provider, model) for provider, models in table["prices"].items() for model in models]


def _differences(
    prices: Prices, provider: str, model: str, at: datetime, rates: model_prices.Rates
) -> list[str]:
    found = []
    for what, (call, without) in _CALLS.items():
        if not _is_told(what, rates):
            continue
        ours = _ours(prices, provider, model, at, call, without)
        if ours is None:
            return []
        theirs = _theirs(rates, call) - _theirs(rates, without)
        tokens = call.input - without.input + call.output - without.output
        ours, theirs = ours / tokens * 1e6, theirs / tokens * 1e6
        if abs(ours - theirs) > AGREE * max(ours, theirs):
            found.append(f"{what} {ours:.4g}/{theirs:.4g}")
    return found


def _is_told(what: str, rates: model_prices.Rates) -> bool:
    """Whether the table has such a price of its own; it gives twice the input for an hour where nobody counts that."""
    if what == "cache_read":
        return rates.cache_read is not None
    if what == "cache_write":
        return rates.cache_write is not None
    if what == "cache_write_1h":
        return rates.cache_write_1h_multiple is not None and rates.provider == "anthropic"
    return bool(rates.tiers) if what.startswith("long") else True


def _ours(
    prices: Prices, provider: str, model: str, at: datetime, call: TokenUsage, without: TokenUsage
) -> float | None:
    start = int(at.timestamp()) * 10**9
    some, none = (
        prices.price(model, _PROVIDERS.get(provider, provider), start, usage) for usage in (call, without)
    )
    return None if some is None or none is None else (some.total - none.total) / PICODOLLARS


def _theirs(rates: model_prices.Rates, call: TokenUsage) -> float:
    for_an_hour = call.parts.cache_write_1h if call.parts else 0
    dollars: float = rates.cost(
        input_tokens=call.input - call.cache_read - call.cache_write,
        output_tokens=call.output,
        cache_read_tokens=call.cache_read,
        cache_write_tokens=call.cache_write - for_an_hour,
        cache_write_1h_tokens=for_an_hour,
    )
    return dollars


def main() -> None:
    """Print what is to be reviewed."""
    known = {line for group in reviewed() for line in group["differences"]} if REVIEWED.exists() else set()
    now = set(differences())
    print("new:", *sorted(now - known), "gone:", *sorted(known - now), sep="\n    ")


if __name__ == "__main__":
    main()
