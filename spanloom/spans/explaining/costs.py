"""What decided on the cost of a span."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.registry import NOT_READ
from spanloom.spans.folding.fact import Fact
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.pricing.unpriced import sentence, why_unpriced
from spanloom.spans.reading.rows.fields import SpanFields
from spanloom.spans.reading.span.costs import SpanCosts

_COSTS = (Field.INPUT_COST, Field.OUTPUT_COST, Field.TOTAL_COST)


def why_cost(
    fields: SpanFields, cost: SpanCosts, fact: Fact, provider: str, *, is_call: bool, prices: Prices | None
) -> str:
    """A sentence without a full stop; empty for a span that costs nothing and is no call.

    Args:
        fields: what the span states.
        cost: what it was found to cost.
        fact: the span.
        provider: its provider.
        is_call: whether it speaks for a call of its trace.
        prices: what models cost; without them the reason is less exact.
    """
    stated = any(fields.ranks[field] != NOT_READ for field in _COSTS)
    if cost.stated:
        total = fields.ranks[Field.TOTAL_COST] != NOT_READ and fields.values[Field.TOTAL_COST]
        return "as the span states it" if total else "the sum of what the span states of its parts"
    if cost.known and not stated:
        return f"its tokens by the price of {fact.model}"
    if cost.known and cost.total:
        return f"the span states 0, but tokens of {fact.model} have a price: by that price"
    if cost.known:
        return "the span states 0, and no other price is known"
    if not is_call and not (fact.input_tokens or fact.output_tokens or fact.unsplit_tokens):
        return ""
    reason = why_unpriced(
        fact.model, provider, fact.input_tokens, fact.output_tokens, fact.unsplit_tokens, prices
    )
    return f"not known: {sentence(reason, fact.model, provider)}"
