"""How usage counts, as plainly as it can be said: a recursion over the tree of one trace, each call told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spanloom.spans.folding.facts import Fact
from spanloom.spans.table import COST_IS_STATED, OUTPUT_IS_MESSAGE, STATUSES
from tests.spans.examples import EMBEDDING, LLM

_ERROR = STATUSES.index("error")


@dataclass
class Counted:
    """What counts of a span and all below it."""

    tokens: list[Fact] = field(default_factory=list)
    cost: list[Fact] = field(default_factory=list)
    calls: list[Fact] = field(default_factory=list)
    """Calls of models, whether they state usage or not."""
    unknown: list[Fact] = field(default_factory=list)
    """What has a cost that nobody knows."""

    def all_tokens(self) -> int:
        return sum(map(tokens, self.tokens))

    def all_cost(self) -> int:
        return sum(fact.total_cost for fact in self.cost)


def tokens(fact: Fact) -> int:
    return fact.input_tokens + fact.output_tokens + fact.unsplit_tokens


def usage(fact: Fact, facts: Sequence[Fact]) -> Counted:
    """What counts of a span and what is below it in a tree."""
    below = Counted()
    for child in facts:
        if child.parent_span_id == fact.span_id:
            counted = usage(child, facts)
            below.tokens += counted.tokens
            below.cost += counted.cost
            below.calls += counted.calls
            below.unknown += counted.unknown
    states = bool(tokens(fact) or fact.total_cost)
    if fact.span_type in (LLM, EMBEDDING) and not below.calls:
        below.calls = [fact]
        failed = fact.status == _ERROR and not fact.marks & OUTPUT_IS_MESSAGE
        if not states and not failed and not fact.priced:
            below.unknown.append(fact)
    others = [call for call in below.calls if call is not fact]
    if not states:
        return below
    if others and all(tokens(call) or call.total_cost for call in others):
        alone = others[0]
        if (
            len(others) == 1
            and fact.total_cost
            and fact.marks & COST_IS_STATED > alone.marks & COST_IS_STATED
        ):
            return Counted(below.tokens, [fact], below.calls, [])
        return below
    if (tokens(fact), fact.total_cost) > (below.all_tokens(), below.all_cost()):
        return Counted([fact], [fact], below.calls, [] if fact.priced else [fact])
    if not tokens(fact) and fact.total_cost > below.all_cost():
        return Counted(below.tokens, [fact], below.calls, [])
    return below
