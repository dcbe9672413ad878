"""What a span used, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spanloom.spans.conventions.families import beside, is_gemini
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.interactions import thinks_beside
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.span.costs import UNKNOWN, SpanCosts, span_costs
from spanloom.spans.reading.span.usage import NOTHING, Stated, Usage, UsageRule, usage_of

TOKENS = slice(int(Field.INPUT_TOKENS), int(Field.TOTAL_TOKENS) + 1)
"""The fields of `Stated`, in its order."""

_COSTS = slice(int(Field.INPUT_COST), int(Field.TOTAL_COST) + 1)
_NO_COSTS = [None] * 3
_INPUT = int(Field.INPUT_TOKENS)
_CACHE = (int(Field.CACHE_READ_TOKENS), int(Field.CACHE_WRITE_TOKENS))
_COMPACTION_INPUT = int(Field.COMPACTION_INPUT_TOKENS)
_COMPACTION_OUTPUT = int(Field.COMPACTION_OUTPUT_TOKENS)


class Caller(NamedTuple):
    """Who used something: what the ways of counting hang on."""

    span_type: str
    scope: str
    """The name of the instrumentation."""
    name: bytes
    """Of the span."""
    provider: str
    model: str


def account_of(
    values: Sequence[Any],
    ranks: Sequence[int],
    caller: Caller,
    priced_at: int,
    prices: Prices,
    vocabulary: Vocabulary,
    rules: list[UsageRule] | None = None,
) -> tuple[Usage, SpanCosts]:
    """Return what a span used and what it costs.

    Args:
        values: the fields of the span, likewise `ranks`.
        caller: the span.
        priced_at: as of when it is priced, nanoseconds since the epoch.
        rules: takes the rules that decided on the usage, for those who ask.
    """
    # Most spans have neither tokens nor a cost.
    usage = _usage(values, ranks, caller, vocabulary, rules) if any(values[TOKENS]) else NOTHING
    if usage is NOTHING and values[_COSTS] == _NO_COSTS:
        return usage, UNKNOWN
    return usage, span_costs(values, usage, caller.model, caller.provider, priced_at, prices)


def _usage(
    values: Sequence[Any],
    ranks: Sequence[int],
    caller: Caller,
    vocabulary: Vocabulary,
    rules: list[UsageRule] | None,
) -> Usage:
    by_scope = beside(caller.scope, caller.provider, caller.model)
    whole = ranks[_INPUT]
    usage = usage_of(
        Stated._make(values[TOKENS]),
        is_embedding=caller.span_type == "EMBEDDING",
        cache_is_beside=by_scope.cache
        or any(vocabulary.beside.get((field, ranks[field])) == whole for field in _CACHE),
        reasoning_is_beside=by_scope.reasoning or thinks_beside(caller.scope, caller.name),
        rest_is_reasoning=is_gemini(caller.provider, caller.model),
        rules=rules,
    )
    more_input, more_output = values[_COMPACTION_INPUT], values[_COMPACTION_OUTPUT]
    if not (more_input or more_output):
        return usage
    if rules is not None:
        rules.append(UsageRule.COMPACTION)
    return usage.with_more(more_input or 0, more_output or 0)
