"""What tokens cost: price rates in whole attodollars (1e-18 USD) a token, so that sums are exact in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spanloom.spans.table import PICODOLLARS

_ATTO_PER_PICO = 10**6

ATTODOLLARS = PICODOLLARS * _ATTO_PER_PICO
"""Attodollars in a dollar."""


class TokenUsage(NamedTuple):
    """Counts of tokens; `cache_read` and `cache_write` are part of `input`, those of reasoning of `output`."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


class CallCosts(NamedTuple):
    """What one call costs, in picodollars."""

    input: int
    output: int
    total: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Attodollars a token, and a request."""

    input: int
    cache_read: int
    cache_write: int
    output: int
    request: int = 0

    def costs(self, usage: TokenUsage) -> CallCosts:
        """The cost of one call."""
        # A sender that doesn't count cached tokens as input would make the rest negative.
        fresh = max(usage.input - usage.cache_read - usage.cache_write, 0)
        input_cost = _picodollars(
            fresh * self.input + usage.cache_read * self.cache_read + usage.cache_write * self.cache_write
        )
        output_cost = _picodollars(usage.output * self.output)
        return CallCosts(input_cost, output_cost, input_cost + output_cost + _picodollars(self.request))


def _picodollars(attodollars: int) -> int:
    return (attodollars + _ATTO_PER_PICO // 2) // _ATTO_PER_PICO
