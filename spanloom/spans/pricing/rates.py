"""What tokens cost: price rates in whole attodollars (1e-18 USD) a token, so that sums are exact in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spanloom.spans.table import PICODOLLARS

_ATTO_PER_PICO = 10**6

ATTODOLLARS = PICODOLLARS * _ATTO_PER_PICO
"""Attodollars in a dollar."""


class TokenParts(NamedTuple):
    """Tokens that may have a price of their own; all of them are counted in a `TokenUsage` too."""

    input_audio: int = 0
    """Part of the input; read from a cache or not."""
    cached_audio: int = 0
    """Part of `input_audio` and of the tokens read from a cache."""
    input_image: int = 0
    cached_image: int = 0
    cache_write_1h: int = 0
    """Part of the tokens written to a cache: it keeps them for an hour."""
    output_audio: int = 0
    output_image: int = 0


class TokenUsage(NamedTuple):
    """Counts of tokens; `cache_read` and `cache_write` are part of `input`, those of reasoning of `output`."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    parts: TokenParts | None = None
    """None for a call that states no such parts, as nearly all do."""


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
    more: TokenParts | None = None
    """What a token of a part costs more than it would as text, or for five minutes; None where none has a price."""

    def costs(self, usage: TokenUsage) -> CallCosts:
        """The cost of one call."""
        # A sender that doesn't count cached tokens as input would make the rest negative.
        fresh = max(usage.input - usage.cache_read - usage.cache_write, 0)
        input_cost = (
            fresh * self.input + usage.cache_read * self.cache_read + usage.cache_write * self.cache_write
        )
        output_cost = usage.output * self.output
        if usage.parts is not None and self.more is not None:
            parts, more = usage.parts, self.more
            input_cost += (
                (parts.input_audio - parts.cached_audio) * more.input_audio
                + parts.cached_audio * more.cached_audio
                + (parts.input_image - parts.cached_image) * more.input_image
                + parts.cached_image * more.cached_image
                + parts.cache_write_1h * more.cache_write_1h
            )
            output_cost += parts.output_audio * more.output_audio + parts.output_image * more.output_image
        input_cost, output_cost = _picodollars(input_cost), _picodollars(output_cost)
        return CallCosts(input_cost, output_cost, input_cost + output_cost + _picodollars(self.request))


def parts_within(usage: TokenUsage, stated: Sequence[int | None]) -> TokenParts:
    """The parts that a span states, as far as they fit into its counts: none is larger than what it is part of.

    What was read from a cache is taken for text as far as there is text, where the span doesn't say of which medium it
    was.

    Args:
        usage: the counts.
        stated: in the order of `TokenParts`.
    """
    audio, cached_audio, image, cached_image, for_an_hour, output_audio, output_image = (
        n or 0 for n in stated
    )
    audio = min(audio, usage.input)
    image = min(image, usage.input - audio)
    read = min(usage.cache_read, usage.input)
    cached_audio = min(cached_audio, audio, read)
    cached_image = min(cached_image, image, read - cached_audio)
    # Cached tokens for which there is not enough text.
    beyond = read + usage.cache_write + audio + image - cached_audio - cached_image - usage.input
    if beyond > 0:
        unsaid = min(beyond, audio - cached_audio, read - cached_audio - cached_image)
        cached_audio += unsaid
        cached_image += min(beyond - unsaid, image - cached_image, read - cached_audio - cached_image)
    output_audio = min(output_audio, usage.output)
    return TokenParts(
        input_audio=audio,
        cached_audio=cached_audio,
        input_image=image,
        cached_image=cached_image,
        cache_write_1h=min(for_an_hour, usage.cache_write),
        output_audio=output_audio,
        output_image=min(output_image, usage.output - output_audio),
    )


def _picodollars(attodollars: int) -> int:
    return (attodollars + _ATTO_PER_PICO // 2) // _ATTO_PER_PICO
