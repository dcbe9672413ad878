"""What a span costs: the costs it gives itself, else by the prices of its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import Field
from spanloom.spans.pricing.prices import Prices, TokenUsage
from spanloom.spans.pricing.rates import parts_within
from spanloom.spans.reading.span.usage import Usage
from spanloom.spans.table import MAX_COST, PICODOLLARS

_INPUT_COST = int(Field.INPUT_COST)
_OUTPUT_COST = int(Field.OUTPUT_COST)
_TOTAL_COST = int(Field.TOTAL_COST)
_PARTS = slice(int(Field.INPUT_AUDIO_TOKENS), int(Field.OUTPUT_IMAGE_TOKENS) + 1)
"""The fields of `TokenParts`, in its order."""


class SpanCosts(NamedTuple):
    """What a span costs, in picodollars."""

    input: int
    output: int
    total: int
    known: int
    """1, or 0 where the others are 0 because nobody knows them."""
    stated: bool = False
    """The span says so itself."""


UNKNOWN = SpanCosts(0, 0, 0, 0)
"""Nobody knows what the span costs."""

_MAX_PICODOLLARS = MAX_COST * PICODOLLARS


def span_costs(
    values: Sequence[Any], usage: Usage, model: str, provider: str, at: int, prices: Prices
) -> SpanCosts:
    """The costs of a span.

    A cost that the span gives wins, but for a cost of 0 beside tokens whose price is known and not 0: instrumentations
    without a price table write that. Where it gives the total only, nothing is known of the parts; where it gives
    no total, it is their sum. Otherwise model and tokens are priced; without tokens there is nothing to price, and the
    costs are not known.

    Args:
        values: the span's fields.
        usage: the tokens it used.
        model: the name of its model; likewise `provider`.
        at: as of when it is priced, nanoseconds since the epoch.
        prices: what models cost.
    """
    given_input, given_output, given_total = values[_INPUT_COST], values[_OUTPUT_COST], values[_TOTAL_COST]
    if given_total is None and given_input is None and given_output is None:
        return _priced(values, usage, model, provider, at, prices) or UNKNOWN
    input_cost, output_cost = _picodollars(given_input), _picodollars(given_output)
    total = _picodollars(given_total) or input_cost + output_cost
    if total:
        return SpanCosts(input_cost, output_cost, total, 1, stated=True)
    priced = _priced(values, usage, model, provider, at, prices)
    return priced if priced and priced.total else SpanCosts(0, 0, 0, 1)


def _priced(
    values: Sequence[Any], usage: Usage, model: str, provider: str, at: int, prices: Prices
) -> SpanCosts | None:
    if not model or not (usage.input or usage.output):
        return None
    tokens = TokenUsage(usage.input, usage.output, usage.cache_read, usage.cache_write)
    stated = values[_PARTS]
    if any(stated):
        tokens = tokens._replace(parts=parts_within(tokens, stated))
    priced = prices.price(model, provider, at, tokens)
    if priced is None or priced.total > _MAX_PICODOLLARS:
        return None
    return SpanCosts(priced.input, priced.output, priced.total, 1)


def _picodollars(dollars: float | None) -> int:
    return 0 if dollars is None else round(dollars * PICODOLLARS)
