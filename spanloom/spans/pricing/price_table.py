"""A user's own prices, which go before those of `genai-prices`.

A table is a list of entries, as a TOML file gives them (`spanloom/commands/serving/price_file.py` reads it):

    [[price]]
    provider = "my-gateway"     # left out: any provider, and none
    model = "llama-3.3-*"
    input = 0.6                 # USD a million tokens
    output = 0.8
    cache_read = 0.06           # left out: as input
    cache_write = 0.75          # left out: as input
    from = 2026-07-01           # left out: always

The first entry whose provider and model fit a call counts, from top to bottom. Entries of one provider and
model are one price over time: of these the one with the latest `from` that is not after the start of the span.
Where none is in force yet, the next entry that fits counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby

from spanloom.spans.pricing.rates import ATTODOLLARS, Rates

_MILLION = 10**6

_MOST = 10**6
"""USD a million tokens: a higher price is taken for a slip."""

_LONGEST_PATTERN = 256
"""Characters; longer names of models are not looked up."""

_PRICES = ("input", "output", "cache_read", "cache_write")
_MEMBERS = ("provider", "model", *_PRICES, "from")

_Key = tuple[str, str]
"""Pattern of the provider, empty for any; pattern of the model. Both lower-case."""

OverTime = tuple[tuple[int, Rates], ...]
"""From when on (nanoseconds since the epoch) which rates hold; the latest comes first."""


class PriceTableError(ValueError):
    """An entry is impossible; the message says which one and what to change."""


class PriceTable:
    """Prices by patterns of provider and model, in which `*` stands for any characters, also none."""

    def __init__(self, entries: Iterable[object] = ()) -> None:
        """Read the entries, each a mapping with the members shown above.

        Raises:
            PriceTableError: one is impossible.
        """
        prices: dict[_Key, dict[int, Rates]] = {}
        for number, entry in enumerate(entries, 1):
            key, since, rates = _read(entry, f"price {number}")
            times = prices.setdefault(key, {})
            if since in times:
                raise PriceTableError(
                    f"price {number} ({key[1]}): another price has the same provider, model and `from`:"
                    " remove one, or give the newer one a later `from`"
                )
            times[since] = rates
        self._prices: list[tuple[_Key, OverTime]] = [
            (key, tuple(sorted(times.items(), key=_start, reverse=True))) for key, times in prices.items()
        ]

    def __len__(self) -> int:
        return sum(len(times) for _, times in self._prices)

    def find(self, provider: str, model: str) -> OverTime:
        """The prices of a model over time, all that fit in the order in which they count."""
        provider = provider.strip().lower()
        model = model.lower()
        return tuple(
            entry
            for (of_provider, of_model), times in self._prices
            if _fits(model, of_model) and (not of_provider or _fits(provider, of_provider))
            for entry in times
        )


def rates_at(prices: OverTime, start_ns: int) -> Rates | None:
    """The rates that hold at a time; None where none does yet."""
    for since, rates in prices:
        if since <= start_ns:
            return rates
    return None


def _start(price: tuple[int, Rates]) -> int:
    return price[0]


def _read(entry: object, name: str) -> tuple[_Key, int, Rates]:
    if not isinstance(entry, Mapping):
        raise PriceTableError(f"{name} is no table: write each price under a line `[[price]]`")
    model = entry.get("model")
    if isinstance(model, str):
        name = f"{name} ({model[:64]})"
    unknown = [member for member in entry if member not in _MEMBERS]
    if unknown:
        raise PriceTableError(
            f"{name}: there is no member `{unknown[0]}`: use {', '.join(_MEMBERS[:-1])} and {_MEMBERS[-1]}"
        )
    for member in ("model", "input", "output"):
        if member not in entry:
            raise PriceTableError(f"{name}: `{member}` is missing: add it")
    provider = _pattern(entry["provider"], "provider", name) if "provider" in entry else ""
    input_rate = _rate(entry["input"], "input", name)
    rates = Rates(
        input=input_rate,
        cache_read=_rate(entry["cache_read"], "cache_read", name) if "cache_read" in entry else input_rate,
        cache_write=_rate(entry["cache_write"], "cache_write", name)
        if "cache_write" in entry
        else input_rate,
        output=_rate(entry["output"], "output", name),
    )
    since = _nanoseconds(entry["from"], name) if "from" in entry else 0
    return (provider, _pattern(model, "model", name)), since, rates


def _pattern(value: object, member: str, name: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_PATTERN:
        raise PriceTableError(
            f"{name}: `{member}` must be a text of 1 to {_LONGEST_PATTERN} characters: correct it"
        )
    if any(character in "?[]" for character in value):
        raise PriceTableError(
            f"{name}: in `{member}` only `*` stands for other characters: write it without ?, [ and ]"
        )
    # Several stars in a row are one.
    return "".join(
        "*" if is_star else "".join(run)
        for is_star, run in groupby(value.strip().lower(), lambda character: character == "*")
    )


def _rate(value: object, member: str, name: str) -> int:
    """Attodollars a token, of USD a million tokens."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PriceTableError(f"{name}: `{member}` must be a number, USD a million tokens: correct it")
    dollars = Decimal(str(value))
    if not dollars.is_finite() or not 0 <= dollars <= _MOST:
        raise PriceTableError(
            f"{name}: `{member}` must be from 0 to {_MOST:,} USD a million tokens: correct it"
        )
    return round(dollars * (ATTODOLLARS // _MILLION))


def _nanoseconds(value: object, name: str) -> int:
    """Nanoseconds since the epoch; a date begins at midnight UTC, a time without offset is UTC."""
    if not isinstance(value, date):
        raise PriceTableError(f"{name}: `from` must be a date such as 2026-07-01, without quotes: correct it")
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return max(((since.days * 86_400 + since.seconds) * _MILLION + since.microseconds) * 1000, 0)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern; in one pass, for names come from outside."""
    first, *others = pattern.split("*")
    if not others:
        return name == first
    last = others.pop()
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for part in others:
        position = name.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True
