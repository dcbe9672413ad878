"""The counts of tokens of one span: from what its sender states to what the columns promise.

The columns' contract: cached tokens, read or written, are part of the input, and reasoning is part of the output.
Senders differ: Anthropic, Bedrock and Gemini count some parts *beside* the whole, and instrumentations hand that
through. Which it is, the first of these decides: the total that the sender states (or its family of keys implies, which
the reader of that family then states), a contradiction (a part larger than its whole can't lie in it), and else the
parts are inside, as OpenTelemetry asks for (semantic-conventions, `gen_ai.usage.input_tokens`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple


class Stated(NamedTuple):
    """Counts as the sender states them; None where it does not."""

    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None
    total: int | None


class Usage(NamedTuple):
    """Counts by the contract: `cache_read + cache_write <= input`, `reasoning <= output`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    unsplit: int = 0
    """Tokens of which nothing but their number is known; 0 wherever input or output are known."""

    def with_more(self, input_tokens: int, output_tokens: int) -> Usage:
        """The same and what was used beside it."""
        if self.unsplit:
            return self._replace(unsplit=self.unsplit + input_tokens + output_tokens)
        return self._replace(input=self.input + input_tokens, output=self.output + output_tokens)


NOTHING = Usage()


class UsageRule(Enum):
    """What decided on the counts of a span; the sentence is for people."""

    INPUT_ALONE = "a total without parts is all input, for it is an embedding"
    ONLY_TOTAL = "only a total is stated, not how many tokens were input and how many output"
    THOUGHT = "what the total has beyond input and output, the model thought (Gemini)"
    NO_PARTS = "no cached tokens and no reasoning are stated: input and output are as they stand there"
    REST_OF_TOTAL = "what is missing of input and output is the rest of the total"
    CACHE_IS_BESIDE = (
        "this instrumentation, or this key, counts cached tokens beside the input: they are added"
    )
    REASONING_IS_BESIDE = "this instrumentation counts reasoning beside the output: it is added"
    TOTAL_INSIDE = "the total is input and output, so the parts are inside"
    TOTAL_BESIDE = (
        "the total is input and output only with parts added to them: these were beside, and are added"
    )
    CONTRADICTION = "a part is larger than its whole, so it can't be inside, and is added"
    COMPACTION = "what the compaction of the conversation used is stated beside that, and is added"
    INSIDE = "nothing says otherwise, so the parts are inside"


def usage_of(
    stated: Stated,
    *,
    is_embedding: bool,
    cache_is_beside: bool = False,
    reasoning_is_beside: bool = False,
    rest_is_reasoning: bool = False,
    rules: list[UsageRule] | None = None,
) -> Usage:
    """Return the usage that a span states.

    Args:
        stated: what it states.
        is_embedding: all that it uses is input.
        cache_is_beside: who wrote it counts cached tokens beside the input.
        reasoning_is_beside: who wrote it counts reasoning beside the output.
        rest_is_reasoning: what the total has beyond input and output, the model thought.
        rules: takes the rules that decided, for those who ask.
    """
    told = _unheard if rules is None else rules.append
    input_tokens, output_tokens, read, write, reasoning, total = stated
    read, write, reasoning, total = read or 0, write or 0, reasoning or 0, total or 0
    if input_tokens is None and output_tokens is None and not (read or write or reasoning):
        if not total:
            return NOTHING
        told(UsageRule.INPUT_ALONE if is_embedding else UsageRule.ONLY_TOTAL)
        return Usage(input=total) if is_embedding else Usage(unsplit=total)
    if rest_is_reasoning and not reasoning and None not in (input_tokens, output_tokens):
        # Google's total holds what the model thought, and some senders name no count for it.
        reasoning = max(total - (input_tokens or 0) - (output_tokens or 0), 0)
        reasoning_is_beside = True
        told(UsageRule.THOUGHT)
    if not (read or write or reasoning):
        if total and (input_tokens is None or output_tokens is None):
            told(UsageRule.REST_OF_TOTAL)
            return _completed(input_tokens, output_tokens, total)
        told(UsageRule.NO_PARTS)
        return Usage(input_tokens or 0, output_tokens or 0)
    given_input = (input_tokens or 0) + (read + write if cache_is_beside else 0)
    given_output = (output_tokens or 0) + (reasoning if reasoning_is_beside else 0)
    if cache_is_beside and (read or write):
        told(UsageRule.CACHE_IS_BESIDE)
    if reasoning_is_beside and reasoning:
        told(UsageRule.REASONING_IS_BESIDE)
    beside_input, beside_output = _beside(given_input, given_output, read, write, reasoning, total, told)
    return Usage(given_input + beside_input, given_output + beside_output, read, write, reasoning)


def _completed(input_tokens: int | None, output_tokens: int | None, total: int) -> Usage:
    """What is missing is the rest of the total."""
    if input_tokens is None:
        return Usage(max(total - (output_tokens or 0), 0), output_tokens or 0)
    return Usage(input_tokens, max(total - input_tokens, 0))


def _unheard(_: UsageRule) -> None:
    """Nobody asks for the rules."""


def _beside(
    input_tokens: int,
    output_tokens: int,
    read: int,
    write: int,
    reasoning: int,
    total: int,
    told: Callable[[UsageRule], None],
) -> tuple[int, int]:
    """How many of the parts stand beside input and output, and are to be added to them."""
    ways = [
        (cached, thought)
        for cached, thought in (
            (0, 0),
            (read + write, 0),
            (0, reasoning),
            (read + write, reasoning),
            (write, 0),
            (read, 0),
            (write, reasoning),
            (read, reasoning),
        )
        if read + write <= input_tokens + cached and reasoning <= output_tokens + thought
    ]
    whole = input_tokens + output_tokens
    for cached, thought in ways:
        if whole + cached + thought == total:
            told(UsageRule.TOTAL_BESIDE if cached or thought else UsageRule.TOTAL_INSIDE)
            return cached, thought
    # Without a total that fits: what can't be inside is added, as a whole, and all else is inside.
    cached = read + write if read + write > input_tokens else 0
    thought = reasoning if reasoning > output_tokens else 0
    told(UsageRule.CONTRADICTION if cached or thought else UsageRule.INSIDE)
    return cached, thought
