"""Why a call has no known cost, and what to write into a price file to give it one.

It follows from what is stored of a call: its model, its provider and its counts of tokens. Whoever has the public
prices at hand can say more; pages do without them, because they take 70 MB and a third of a second to load.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Protocol

from spanloom.spans.pricing.model_names import providers_of

_LONGEST_SHOWN = 100
"""Characters of a name in a sentence."""

_LONGEST_PRICED = 256
"""Characters of a name that is looked up in a price file."""


class Reason(Enum):
    """Why nobody knows what a call cost; the sentence is for people."""

    NO_USAGE = "no usage told: neither tokens nor a cost"
    ONLY_TOTAL = "only a total told, not how many tokens were input and how many output"
    NO_MODEL = "no model named"
    NO_SELLER = "no price for {call}: neither its name nor its provider says who sells it"
    NO_PRICE = "no price for {call}"
    UNKNOWN_PROVIDER = "no price for {call}, a provider of whom no prices are known"
    NOT_BY_TOKEN = "no price by the token for {call}: it is sold by something else, such as time"
    KNOWN_BY_NOW = "a price for {call} is known by now: it holds for spans that are read from now on"

    @property
    def ends_with_a_price(self) -> bool:
        """Whether an entry in a price file gives such calls a cost."""
        return self not in (Reason.NO_USAGE, Reason.ONLY_TOTAL, Reason.NO_MODEL, Reason.KNOWN_BY_NOW)


class KnownPrices(Protocol):
    """What is known of prices; `Prices` is it."""

    def knows_seller(self, provider: str) -> bool:
        """Whether prices of a provider are known at all."""
        ...

    def knows_model(self, model: str, provider: str) -> bool:
        """Whether a price of the model is known, of whatever."""
        ...

    def prices_tokens(self, model: str, provider: str) -> bool:
        """Whether a token of the model has a price today."""
        ...


def why_unpriced(
    model: str,
    provider: str,
    input_tokens: int,
    output_tokens: int,
    unsplit_tokens: int,
    known: KnownPrices | None = None,
) -> Reason:
    """Return why a call without a known cost has none.

    Args:
        model: its name, which may be empty; likewise `provider`.
        input_tokens: as they are stored; likewise `output_tokens`.
        unsplit_tokens: tokens of which nothing but their number is known.
        known: the prices there are today; without them the answer is less exact.
    """
    if not (input_tokens or output_tokens):
        return Reason.ONLY_TOTAL if unsplit_tokens else Reason.NO_USAGE
    if not model:
        return Reason.NO_MODEL
    if known is not None:
        if known.prices_tokens(model, provider):
            return Reason.KNOWN_BY_NOW
        if known.knows_model(model, provider):
            return Reason.NOT_BY_TOKEN
    if not providers_of(provider):
        return Reason.NO_SELLER
    if known is not None and not known.knows_seller(provider):
        return Reason.UNKNOWN_PROVIDER
    return Reason.NO_PRICE


def sentence(reason: Reason, model: str, provider: str) -> str:
    """A reason in words, without a full stop; names in it are cut."""
    call = f"{_shown(model)} at {_shown(provider)}" if provider.strip() else _shown(model)
    return reason.value.format(call=call)


def price_entry(model: str, provider: str) -> str:
    """Return the lines of a price file for calls of a model, in which only the prices are missing.

    They are no valid TOML until these are filled in: a price that somebody forgot must not pass for 0. Empty for names
    that no entry can have.
    """
    if not model.strip() or max(len(model), len(provider)) > _LONGEST_PRICED:
        return ""
    lines = ["[[price]]"]
    if provider.strip():
        lines.append(f"provider = {_pattern(provider)}")
    lines += [
        f"model = {_pattern(model)}",
        "input =   # USD a million tokens",
        "output =  # USD a million tokens",
    ]
    return "\n".join(lines)


def _shown(name: str) -> str:
    line = "".join(character for character in " ".join(name.split()) if character.isprintable())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}…"


def _pattern(name: str) -> str:
    """A TOML string with a pattern that fits the name; a `*` stands for what a pattern can't say."""
    inside = name.strip()
    start, end = ("*" if name[:1].isspace() else ""), ("*" if name[-1:].isspace() else "")
    plain = "".join(
        "*" if character in "?[]" or not character.isprintable() else character for character in inside
    )
    return json.dumps(f"{start}{plain}{end}", ensure_ascii=False)
