"""What a span costs: the costs it gives itself, else by the prices of its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spanloom.spans.conventions.fields import Field
from spanloom.spans.pricing.prices import Prices, TokenUsage
from spanloom.spans.table import MAX_COST, PICODOLLARS

_INPUT_TOKENS = int(Field.INPUT_TOKENS)
_OUTPUT_TOKENS = int(Field.OUTPUT_TOKENS)
_CACHE_READ_TOKENS = int(Field.CACHE_READ_TOKENS)
_CACHE_WRITE_TOKENS = int(Field.CACHE_WRITE_TOKENS)
_INPUT_COST = int(Field.INPUT_COST)
_OUTPUT_COST = int(Field.OUTPUT_COST)
_TOTAL_COST = int(Field.TOTAL_COST)


class SpanCosts(NamedTuple):
    """What a span costs, in picodollars."""

    input: int
    output: int
    total: int
    known: int
    """1, or 0 where the others are 0 because nobody knows them."""


_UNKNOWN = SpanCosts(0, 0, 0, 0)
_MAX_PICODOLLARS = MAX_COST * PICODOLLARS


def span_costs(values: Sequence[Any], model: str, provider: str, start: int, prices: Prices) -> SpanCosts:
    """The costs of a span whose fields have these values and that starts at `start` (nanoseconds).

    A cost that the span gives wins. Where it gives the total only, nothing is known of input and output;
    where it gives no total, it is their sum. Otherwise model and tokens are priced; without tokens there is
    nothing to price, and the costs are not known.
    """
    given_input, given_output, given_total = values[_INPUT_COST], values[_OUTPUT_COST], values[_TOTAL_COST]
    if given_total is not None or given_input is not None or given_output is not None:
        input_cost = _picodollars(given_input)
        output_cost = _picodollars(given_output)
        total = input_cost + output_cost if given_total is None else _picodollars(given_total)
        return SpanCosts(input_cost, output_cost, total, 1)
    if not model:
        return _UNKNOWN
    input_tokens, output_tokens = values[_INPUT_TOKENS], values[_OUTPUT_TOKENS]
    if input_tokens is None and output_tokens is None:
        return _UNKNOWN
    usage = TokenUsage(
        input_tokens or 0,
        output_tokens or 0,
        values[_CACHE_READ_TOKENS] or 0,
        values[_CACHE_WRITE_TOKENS] or 0,
    )
    priced = prices.price(model, provider, start, usage)
    if priced is None or priced.total > _MAX_PICODOLLARS:
        return _UNKNOWN
    return SpanCosts(priced.input, priced.output, priced.total, 1)


def _picodollars(dollars: float | None) -> int:
    return 0 if dollars is None else round(dollars * PICODOLLARS)
