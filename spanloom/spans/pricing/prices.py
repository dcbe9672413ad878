"""What a call of a model costs: by the user's own prices, else by those of `genai-prices`.

The library takes 50 to 200 µs a call, because it resolves and checks a price anew each time. A price is
linear in the four counts of tokens as long as the prompt stays in one tier, so the library is asked once a
model, validity and tier for the cost of each kind of token, and from then on a price is four multiplications
in whole attodollars: exact, and the same in any order.

The prices are those of the installed version of the library. It never goes online by itself (only its
`UpdatePrices` would), so that the same spans cost the same on every worker.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain

from genai_prices import Usage
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from spanloom.spans.pricing.bedrock_names import is_of_bedrock
from spanloom.spans.pricing.model_names import (
    ALIASES,
    GATEWAYS,
    NOT_PROVIDERS,
    forms_at,
    host_of,
    is_makers_own,
    is_sold,
    makers_of,
    providers_of,
    sellers_of,
)
from spanloom.spans.pricing.price_table import OverTime, PriceTable, rates_at
from spanloom.spans.pricing.rates import ATTODOLLARS, CallCosts, Rates, TokenParts, TokenUsage

__all__ = ["CallCosts", "Prices", "TokenUsage"]

_REMEMBERED = 4096
"""This many models are remembered before all are forgotten: model names come from outside."""

_LONGEST_NAME = 256
"""A longer name of a model or provider is not looked up, in characters."""

_NO_PRICES = PriceTable()


# Which prices of the library make a part cost something else than text does; where it has one for audio but none for
# cached audio, all audio costs the same.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "input_audio": ("input_audio_mtok",),
    "cached_audio": ("cache_audio_read_mtok", "input_audio_mtok"),
    "input_image": ("input_image_mtok",),
    "cached_image": ("cache_image_read_mtok", "input_image_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok",),
    "output_audio": ("output_audio_mtok",),
    "output_image": ("output_image_mtok",),
}

_TOKENS: Mapping[str, Callable[[int], dict[str, int]]] = {
    # As the library counts a number of tokens of a part, and what they are part of.
    "input_audio": lambda n: {"input_audio_tokens": n},
    "cached_audio": lambda n: {
        "cache_read_tokens": n,
        "input_audio_tokens": n,
        "cache_audio_read_tokens": n,
    },
    "input_image": lambda n: {"input_image_tokens": n},
    "cached_image": lambda n: {
        "cache_read_tokens": n,
        "input_image_tokens": n,
        "cache_image_read_tokens": n,
    },
    "cache_write_1h": lambda n: {"cache_write_tokens": n, "cache_write_1h_tokens": n},
    "output_audio": lambda n: {"output_audio_tokens": n},
    "output_image": lambda n: {"output_image_tokens": n},
}

_PLAIN = ("cache_read_tokens", "cache_write_tokens")


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

    def costs(self, usage: TokenUsage) -> CallCosts:
        tier = bisect_left(self._starts, usage.input) - 1
        return self._rates[max(tier, 0)].costs(usage)


def _rates(price: ModelPrice, prompt: int) -> Rates:
    """Asks the library what each kind of token costs in a prompt of this many tokens."""

    def cost(**tokens: int) -> Decimal:
        return price.calc_price(Usage(input_tokens=prompt, **tokens))["total_price"]

    request = price.calc_price(Usage(input_tokens=0, output_tokens=0))["total_price"]
    fresh = cost(output_tokens=0) - request
    rates = Rates(
        input=_atto(fresh / prompt),
        cache_read=_atto((cost(output_tokens=0, cache_read_tokens=prompt) - request) / prompt),
        cache_write=_atto((cost(output_tokens=0, cache_write_tokens=prompt) - request) / prompt),
        output=_atto(cost(output_tokens=1) - request - fresh),
        request=_atto(request),
    )
    priced = [
        part for part, prices in _PARTS.items() if any(getattr(price, name) is not None for name in prices)
    ]
    if not priced:
        return rates
    more = {}
    for part in priced:
        if part.startswith("output"):
            more[part] = _atto(cost(output_tokens=1, **_TOKENS[part](1)) - cost(output_tokens=1))
        else:
            tokens = _TOKENS[part](prompt)
            plain = cost(output_tokens=0, **{name: n for name, n in tokens.items() if name in _PLAIN})
            more[part] = _atto((cost(output_tokens=0, **tokens) - plain) / prompt)
    return replace(rates, more=TokenParts(**more))


def _atto(dollars: Decimal) -> int:
    return round(dollars * ATTODOLLARS)


class Prices:
    """The prices of models; remembers what it has looked up.

    Args:
        own: the user's own prices, which go first.
    """

    def __init__(self, own: PriceTable = _NO_PRICES) -> None:
        self._own = own
        # A snapshot of our own: it remembers every name ever asked for, so it is thrown away now and then.
        self._snapshot = _snapshot()
        self._models: dict[tuple[str, str], tuple[OverTime, ModelInfo | None]] = {}
        self._tiers: dict[int, tuple[ModelPrice, _Tiers | None]] = {}

    def price(self, model: str, provider: str, start_ns: int, usage: TokenUsage) -> CallCosts | None:
        """The cost of a call at `start_ns` (nanoseconds since the epoch); None if the price is not known.

        `provider` may be empty, then the model's name decides.
        """
        key = (provider, model)
        own, info = self._models[key] if key in self._models else self._look_up(key)
        if own:
            rates = rates_at(own, start_ns)
            if rates is not None:
                return rates.costs(usage)
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
        if tiers is None:
            return None
        costs = tiers.costs(usage)
        # Nothing that is sold is free: a kind of token without a price, such as the output of an embedding.
        return costs if costs.total or not (usage.input or usage.output) else None

    def knows_seller(self, provider: str) -> bool:
        """Whether prices of a provider are known at all; a gateway that asks what makers ask is one."""
        return provider.strip().lower() in GATEWAYS or any(
            find_provider_by_id(self._snapshot.providers, candidate) is not None
            for candidate in providers_of(provider)
        )

    def knows_model(self, model: str, provider: str) -> bool:
        """Whether a price of the model at this provider is known, be it of tokens or of something else."""
        own, info = self._models.get((provider, model)) or self._look_up((provider, model))
        return bool(own) or (info is not None and bool(info.prices))

    def prices_tokens(self, model: str, provider: str) -> bool:
        """Whether tokens of the model have a price today."""
        return self.price(model, provider, time.time_ns(), TokenUsage(1000, 1000)) is not None

    def listed_names(self) -> frozenset[str]:
        """Return the names of providers and models that stand in the public table or in our aliases, in lower case.

        They are finitely many, and none is a stranger's: of the names that only fit a pattern none is among them.
        """
        providers = self._snapshot.providers
        models = (model.id for provider in providers for model in provider.models)
        names = chain((provider.id for provider in providers), models, ALIASES, GATEWAYS, NOT_PROVIDERS)
        return frozenset(name.lower() for name in names)

    def _look_up(self, key: tuple[str, str]) -> tuple[OverTime, ModelInfo | None]:
        if len(self._models) >= _REMEMBERED:
            self._models.clear()
            self._snapshot = _snapshot()
        provider, model = key
        found: tuple[OverTime, ModelInfo | None] = (), None
        if len(provider) <= _LONGEST_NAME and 0 < len(model) <= _LONGEST_NAME:
            found = self._own.find(provider, model), self._find(model, provider)
        self._models[key] = found
        return found

    def _find(self, model: str, provider: str) -> ModelInfo | None:
        if model.endswith(":free"):
            return None  # nobody bills it
        if provider.strip().lower() in GATEWAYS:
            return self._first(makers_of(model)) or self._makers_own(model)
        candidates = providers_of(provider)
        for candidate in candidates:
            known = find_provider_by_id(self._snapshot.providers, candidate)
            if known is not None:
                found = self._first((known.id, form) for form in forms_at(known.id, model))
                # Who is named does not sell it: `openai` with `claude-…`, behind a gateway that speaks OpenAI's API.
                return found or self._makers_own(model)
        if host := host_of(provider):
            return self._sold_at(host, model) or self._makers_own(model)
        # A provider that nobody knows: its price can't be known either.
        return None if candidates else self._first(sellers_of(model))

    def _sold_at(self, host: str, model: str) -> ModelInfo | None:
        """The model of the seller whose API has this host; None where it is nobody's that is known."""
        for provider in self._snapshot.providers:
            # The library's patterns have no end; some leave a country's letters open.
            if re.fullmatch(f"(?:{provider.api_pattern})[a-z]{{0,3}}", f"https://{host}"):
                return self._first((provider.id, form) for form in forms_at(provider.id, model))
        return None

    def _makers_own(self, model: str) -> ModelInfo | None:
        """The model of a maker whose models nobody sells under another price; open models anybody may serve.

        What has a name of Bedrock's was bought there: clients of the makers write their own name beside it.
        """
        return self._first(
            sellers_of(model),
            only=lambda seller: is_makers_own(seller) or (seller == "aws" and is_of_bedrock(model)),
        )

    def _first(
        self, names: Iterable[tuple[str | None, str]], only: Callable[[str], bool] = lambda _: True
    ) -> ModelInfo | None:
        """The first model there is, of these providers and names, and of sellers that may be asked."""
        for provider, model in names:
            try:
                seller, found = self._snapshot.find_provider_model(model, None, provider, None)
            except LookupError:
                continue
            if is_sold(seller.id, model) and only(seller.id):
                return found
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
    """The library's data, less what would price a model as somebody else sells it."""
    return DataSnapshot(providers=[_own_prices(p) for p in get_snapshot().providers], from_auto_update=False)


def _own_prices(provider: Provider) -> Provider:
    if provider.id == "azure":
        # Azure asks more for DeepSeek's models than DeepSeek itself, to whose prices the library falls back.
        others = [name for name in provider.fallback_model_providers or () if name != "deepseek"]
        return replace(provider, fallback_model_providers=others)
    return provider
