"""How usage counts, as plainly as it can be said: a recursion over the tree of one trace, each call told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from spanloom.spans.folding.facts import Fact
from spanloom.spans.table import COST_IS_STATED, OUTPUT_IS_MESSAGE, SPAN_TYPES, STATUSES
from tests.spans.examples import CHAIN, EMBEDDING, LLM, fact

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


def response(fact: Fact) -> str:
    return fact.response_id


def descendants(fact: Fact, facts: Sequence[Fact]) -> list[Fact]:
    children = [child for child in facts if child.parent_span_id == fact.span_id]
    return children + [one for child in children for one in descendants(child, facts)]


def has_another_response(fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether the same instrumentation tells of other responses, and of no call without one, below a span."""
    calls = [one for one in descendants(fact, facts) if one.span_type in (LLM, EMBEDDING)]
    return all(one.scope == fact.scope and one.response_id not in ("", fact.response_id) for one in calls)


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
    is_call = fact.span_type in (LLM, EMBEDDING)
    if is_call and below.calls and response(fact) and has_another_response(fact, facts):
        below.tokens += [fact] if tokens(fact) else []
        below.cost += [fact] if fact.total_cost else []
        below.calls.append(fact)
        failed = fact.status == _ERROR and not fact.marks & OUTPUT_IS_MESSAGE
        if not fact.priced and (tokens(fact) or not failed):
            below.unknown.append(fact)
        return below
    if is_call and not below.calls:
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


def totals(tree: Sequence[Fact]) -> dict[str, int]:
    """The counters of a trace of these spans."""
    tops = [usage(one, tree) for one in tree if not one.parent_span_id]
    counted = [one for top in tops for one in top.tokens]
    return {
        "input_tokens": sum(one.input_tokens for one in counted),
        "output_tokens": sum(one.output_tokens for one in counted),
        "cache_read_tokens": sum(one.cache_read_tokens for one in counted),
        "reasoning_tokens": sum(one.reasoning_tokens for one in counted),
        "unsplit_tokens": sum(one.unsplit_tokens for one in counted),
        "total_cost": sum(one.total_cost for top in tops for one in top.cost),
        "llm_call_count": sum(one.span_type == LLM for top in tops for one in top.calls),
        "unpriced_call_count": sum(len(top.unknown) for top in tops),
    }


AGENT = SPAN_TYPES.index("AGENT")
_AMOUNTS = st.sampled_from([0, 0, 1, 2, 5, 30])
_KINDS = st.sampled_from([LLM, LLM, EMBEDDING, CHAIN, AGENT, *range(len(SPAN_TYPES))])
_MARKS = st.sampled_from([0, COST_IS_STATED, OUTPUT_IS_MESSAGE, COST_IS_STATED | OUTPUT_IS_MESSAGE])


@st.composite
def spans(draw: st.DrawFn, span: int) -> Fact:
    """A span of any tree, below an earlier one, that states whatever it likes, the parts within the wholes."""
    cost = draw(_AMOUNTS)
    input_tokens, output_tokens = draw(_AMOUNTS), draw(_AMOUNTS)
    return fact(
        span,
        draw(st.integers(0, span - 1)),
        span_type=draw(_KINDS),
        status=draw(st.integers(0, len(STATUSES) - 1)),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=draw(st.integers(0, input_tokens)),
        reasoning_tokens=draw(st.integers(0, output_tokens)),
        unsplit_tokens=0 if input_tokens or output_tokens else draw(_AMOUNTS),
        total_cost=cost,
        response_id=draw(st.sampled_from(["", f"response {span}"])),
        priced=bool(cost) or draw(st.booleans()),
        marks=draw(_MARKS) if cost else draw(_MARKS) & OUTPUT_IS_MESSAGE,
    )


@st.composite
def trees(draw: st.DrawFn) -> list[Fact]:
    return [draw(spans(span)) for span in range(1, draw(st.integers(1, 9)) + 1)]
