"""What a call of a model costs, by the prices of `genai-prices`.

The library takes 50 to 200 µs a call, because it resolves and checks a price anew each time. A price is
linear in the four counts of tokens as long as the prompt stays in one tier, so the library is asked once a
model, validity and tier for the cost of each kind of token, and from then on a price is four multiplications
in whole attodollars: exact, and the same in any order.

The prices are those of the installed version of the library. It never goes online by itself (only its
`UpdatePrices` would), so that the same spans cost the same on every worker.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from genai_prices import Usage
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

from spans.table import PICODOLLARS

_ATTO_PER_PICO = 10**6
_ATTODOLLARS = PICODOLLARS * _ATTO_PER_PICO

_REMEMBERED = 4096
"""So many models are remembered before all are forgotten: model names come from outside."""

_LONGEST_NAME = 256
"""A longer name of a model or provider is not looked up, in characters."""

ALIASES: Mapping[str, str] = {
    # Names of OpenTelemetry's registry that `genai-prices` doesn't know.
    "azure.ai.inference": "azure",
    "az.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gen_ai": "google",
    "x_ai": "x-ai",
    "fireworks_ai": "fireworks",
}

MAKERS: Mapping[str, str] = {
    # Beginnings of models' names that say whose they are, though `genai-prices` doesn't tell it from the name. Langfuse
    # and LiteLLM, among others, name no provider beside an embedding.
    "text-embedding-3-": "openai",
    "text-embedding-ada-": "openai",
    "text-davinci-": "openai",
    "chatgpt-": "openai",
    "ft:gpt-": "openai",
}

NOT_PROVIDERS = frozenset(
    {"langchain", "langgraph", "llamaindex", "llama_index", "litellm", "haystack", "crewai"}
)
"""Frameworks that give their own name where the provider's belongs: then the model's name decides."""


class TokenUsage(NamedTuple):
    """Counts of tokens; `cache_read` and `cache_write` are part of `input`."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


class Costs(NamedTuple):
    """Picodollars."""

    input: int
    output: int
    total: int


@dataclass(frozen=True, slots=True)
class _Rates:
    """Attodollars a token, and a request."""

    input: int
    cache_read: int
    cache_write: int
    output: int
    request: int

    def costs(self, usage: TokenUsage) -> Costs:
        # A sender that doesn't count cached tokens as input would make the rest negative.
        fresh = max(usage.input - usage.cache_read - usage.cache_write, 0)
        input_cost = _picodollars(
            fresh * self.input + usage.cache_read * self.cache_read + usage.cache_write * self.cache_write
        )
        output_cost = _picodollars(usage.output * self.output)
        return Costs(input_cost, output_cost, input_cost + output_cost + _picodollars(self.request))


def _picodollars(attodollars: int) -> int:
    return (attodollars + _ATTO_PER_PICO // 2) // _ATTO_PER_PICO


class _Tiers:
    """The rates of one price, by the size of the prompt."""

    def __init__(self, price: ModelPrice) -> None:
        starts = {0}
        for value in vars(price).values():
            if isinstance(value, TieredPrices):
                starts.update(tier.start for tier in value.tiers)
        self._starts = sorted(starts)
        # A tier holds for prompts longer than its start: the first prompt of a tier is one token longer.
        self._rates = [_rates(price, start + 1) for start in self._starts]

    def costs(self, usage: TokenUsage) -> Costs:
        tier = bisect_left(self._starts, usage.input) - 1
        return self._rates[max(tier, 0)].costs(usage)


def _rates(price: ModelPrice, prompt: int) -> _Rates:
    """Asks the library what each kind of token costs in a prompt of this many tokens."""

    def cost(**tokens: int) -> Decimal:
        return price.calc_price(Usage(input_tokens=prompt, **tokens))["total_price"]

    request = price.calc_price(Usage(input_tokens=0, output_tokens=0))["total_price"]
    fresh = cost(output_tokens=0) - request
    return _Rates(
        input=_atto(fresh / prompt),
        cache_read=_atto((cost(output_tokens=0, cache_read_tokens=prompt) - request) / prompt),
        cache_write=_atto((cost(output_tokens=0, cache_write_tokens=prompt) - request) / prompt),
        output=_atto(cost(output_tokens=1) - request - fresh),
        request=_atto(request),
    )


def _atto(dollars: Decimal) -> int:
    return round(dollars * _ATTODOLLARS)


class Prices:
    """The prices of models; remembers what it has looked up."""

    def __init__(self) -> None:
        # A snapshot of our own: it remembers every name ever asked for, so it is thrown away now and then.
        self._snapshot = _snapshot()
        self._models: dict[tuple[str, str], ModelInfo | None] = {}
        self._tiers: dict[int, tuple[ModelPrice, _Tiers | None]] = {}

    def price(self, model: str, provider: str, start_ns: int, usage: TokenUsage) -> Costs | None:
        """The cost of a call at `start_ns` (nanoseconds since the epoch); None if the price is not known.

        `provider` may be empty, then the model's name decides.
        """
        key = (provider, model)
        info = self._models[key] if key in self._models else self._look_up(key)
        if info is None:
            return None
        prices = info.prices
        if not isinstance(prices, ModelPrice):
            if not prices:
                return None
            prices = info.get_prices(datetime.fromtimestamp(start_ns / 1e9, UTC))
        known = self._tiers.get(id(prices))
        if known is None:
            # The price itself is kept as well, so that its id stays its own.
            known = self._tiers[id(prices)] = (prices, _tiers(prices))
        tiers = known[1]
        return None if tiers is None else tiers.costs(usage)

    def _look_up(self, key: tuple[str, str]) -> ModelInfo | None:
        if len(self._models) >= _REMEMBERED:
            self._models.clear()
            self._snapshot = _snapshot()
        provider, model = key
        info = None
        if len(provider) <= _LONGEST_NAME and 0 < len(model) <= _LONGEST_NAME:
            info = self._find(model, provider)
        self._models[key] = info
        return info

    def _find(self, model: str, provider: str) -> ModelInfo | None:
        provider = provider.strip().lower()
        if provider in NOT_PROVIDERS:
            provider = ""
        providers = [provider, provider.partition(".")[0]] if provider else []
        for candidate in providers:
            name = ALIASES.get(candidate, candidate)
            if find_provider_by_id(self._snapshot.providers, name) is None:
                continue
            return self._model(model, name)
        # A provider that nobody knows: its price can't be known either.
        return None if provider else self._model(model, None) or self._model_of_maker(model)

    def _model_of_maker(self, model: str) -> ModelInfo | None:
        makers = (maker for beginning, maker in MAKERS.items() if model.startswith(beginning))
        return next((self._model(model, maker) for maker in makers), None)

    def _model(self, model: str, provider: str | None) -> ModelInfo | None:
        try:
            return self._snapshot.find_provider_model(model, None, provider, None)[1]
        except LookupError:
            return None


def _tiers(price: ModelPrice) -> _Tiers | None:
    """The tiers of a price for tokens; None for one that counts something else (pages, hours of sound)."""
    if price.input_mtok is None and price.output_mtok is None:
        return None
    try:
        return _Tiers(price)
    except ValueError:
        return None


def _snapshot() -> DataSnapshot:
    return DataSnapshot(providers=get_snapshot().providers, from_auto_update=False)
