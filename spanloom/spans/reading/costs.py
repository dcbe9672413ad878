"""What a span costs: as it says itself, else by the prices of its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spanloom.spans.conventions.fields import Field
from spanloom.spans.pricing.prices import Prices, TokenUsage
from spanloom.spans.table import MAX_COST, PICODOLLARS

_INPUT_TOKENS = int(Field.INPUT_TOKENS)
_INPUT_COST = int(Field.INPUT_COST)

Costs = tuple[int, int, int, int]
"""Input, output and total in picodollars, and 1 if they are known."""

_UNKNOWN: Costs = (0, 0, 0, 0)
_MAX_PICODOLLARS = MAX_COST * PICODOLLARS


def costs(values: Sequence[Any], model: str, provider: str, start: int, prices: Prices) -> Costs:
    """The costs of a span whose fields have these values and that starts at `start` (nanoseconds).

    A cost that the span gives wins. Where it gives the total only, nothing is known of input and output;
    where it gives no total, it is their sum. Otherwise model and tokens are priced; without tokens there is
    nothing to price, and the costs are not known.
    """
    given_input, given_output, given_total = values[_INPUT_COST : _INPUT_COST + 3]
    if given_total is not None or given_input is not None or given_output is not None:
        input_cost = _picodollars(given_input)
        output_cost = _picodollars(given_output)
        total = input_cost + output_cost if given_total is None else _picodollars(given_total)
        return input_cost, output_cost, total, 1
    if not model:
        return _UNKNOWN
    input_tokens, output_tokens, cache_read, cache_write = values[_INPUT_TOKENS : _INPUT_TOKENS + 4]
    if input_tokens is None and output_tokens is None:
        return _UNKNOWN
    usage = TokenUsage(input_tokens or 0, output_tokens or 0, cache_read or 0, cache_write or 0)
    priced = prices.price(model, provider, start, usage)
    if priced is None or priced.total > _MAX_PICODOLLARS:
        return _UNKNOWN
    return priced.input, priced.output, priced.total, 1


def _picodollars(dollars: float | None) -> int:
    return 0 if dollars is None else round(dollars * PICODOLLARS)
