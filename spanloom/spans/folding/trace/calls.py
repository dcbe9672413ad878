"""The calls of models in a trace, each once, however many spans tell of it.

One call is often recorded by two instrumentations, the SDK's own and another, below each other or side by side. Two
spans of one type, LLM or EMBEDDING, are the same call

* if they carry the same ID of the response; or,
* where one carries none, if different instrumentations wrote them (their scopes differ), one lies in the other's time,
  the nearest span around them that is no call is the same, and they agree about the tokens or one says none.

So are a call and the copy of it that an SDK marks as one. A span around other calls is none of them but a *wrapper*: it
repeats what they used. Unless its response is none of theirs, as one instrumentation says of all: then it is a call of
its own, and below it lies what came of it (LangSmith traces a stream as the function that reads it).
"""

from __future__ import annotations

from collections.abc import Sequence

from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.beside import (
    join_by_response,
    join_copies,
    join_neighbours,
    spans_around,
)
from spanloom.spans.folding.trace.groups import Groups
from spanloom.spans.folding.trace.tree import NO_PARENT, Tree
from spanloom.spans.table import IS_COPY, SPAN_TYPES

LLM = SPAN_TYPES.index("LLM")
EMBEDDING = SPAN_TYPES.index("EMBEDDING")

_NONE = -1
_SEVERAL = -2

_MIXED = "\0"
"""No name of an instrumentation."""

Calls = dict[int, list[int]]
"""The spans that tell of a call, in order, by the position of the one that speaks for it: whose numbers count."""


def calls_of(tree: Tree) -> Calls:
    """Return the calls of a trace, in the order of the spans that speak for them."""
    spans = tree.spans
    told = [at for at, fact in enumerate(spans) if fact.span_type in (LLM, EMBEDDING)]
    copies = [at for at, fact in enumerate(spans) if fact.marks & IS_COPY]
    if copies:
        told = [at for at in told if not spans[at].marks & IS_COPY]
    if len(told) < 2 and not copies:
        return {at: [at] for at in told}
    nested = _some_lie_in_others(tree, told)
    if not copies and not nested and _are_all_different(spans, told):
        return {at: [at] for at in told}
    groups = Groups(spans)
    around = spans_around(tree, told)
    calls = _join_nested(tree, told, around, groups) if nested else told
    join_by_response(spans, calls, groups)
    join_neighbours(spans, calls, around, groups)
    if copies:
        alone = set(join_copies(tree, copies, calls, groups))
        members = calls + [at for at in copies if at not in alone or spans[at].span_type in (LLM, EMBEDDING)]
        calls = sorted(set(members))
    return dict(sorted((_speaker(spans, group), group) for group in groups.sets(calls)))


def _some_lie_in_others(tree: Tree, told: Sequence[int]) -> bool:
    telling = set(told)
    inside = bytearray(len(tree.spans))
    for at in tree.down:
        above = tree.parent[at]
        if above != NO_PARENT and (inside[above] or above in telling):
            if at in telling:
                return True
            inside[at] = True
    return False


def _are_all_different(spans: Sequence[Fact], told: Sequence[int]) -> bool:
    """Whether spans beside each other tell of as many calls, as in nearly all traces: one instrumentation wrote them,
    and no two carry the same ID."""
    responses = [spans[at].response_id for at in told if spans[at].response_id]
    return len(set(responses)) == len(responses) and len({spans[at].scope for at in told}) == 1


def _join_nested(tree: Tree, told: Sequence[int], around: Sequence[int], groups: Groups) -> list[int]:
    """Join spans with the one call below them where both are the same; return all of them but wrappers."""
    below = [_NONE] * len(tree.spans)
    telling = set(told)
    wrappers: set[int] = set()
    others = _with_another_response(tree, told)
    for at in reversed(tree.down):
        one = below[at]
        if at in telling:
            if one >= 0 and around[at] == around[one] and groups.are_one(one, at):
                one = groups.join(one, at)
            elif one == _NONE:
                one = at
            elif at in others:
                one = _SEVERAL
            else:
                wrappers.add(at)
        above = tree.parent[at]
        if one != _NONE and above != NO_PARENT:
            known = below[above]
            if known == _NONE:
                below[above] = one
            elif known != _SEVERAL and (one == _SEVERAL or groups.find(known) != groups.find(one)):
                below[above] = _SEVERAL
    return [at for at in told if at not in wrappers] if wrappers else list(told)


def _with_another_response(tree: Tree, told: Sequence[int]) -> set[int]:
    """Spans around calls whose response is none of theirs: all have one, and one instrumentation wrote them all."""
    spans = tree.spans
    if len({spans[at].response_id for at in told} - {""}) < 2:
        return set()
    telling = set(told)
    responses: list[set[str]] = [set() for _ in spans]
    # The one instrumentation of the calls below, None before any, _MIXED where one has no response or they differ.
    scopes: list[str | None] = [None] * len(spans)
    found = set()
    for at in reversed(tree.down):
        below, scope = responses[at], scopes[at]
        if at in telling:
            fact = spans[at]
            own = fact.scope if fact.response_id else _MIXED
            if own != _MIXED and scope == own and fact.response_id not in below:
                found.add(at)
            below.add(fact.response_id)
            scope = own if scope in (None, own) else _MIXED
        above = tree.parent[at]
        if above != NO_PARENT and scope is not None:
            # The smaller set into the larger one: a hostile trace is a thousand spans deep.
            responses[above] = _merged(responses[above], below)
            scopes[above] = scope if scopes[above] in (None, scope) else _MIXED
    return found


def _merged(one: set[str], other: set[str]) -> set[str]:
    small, large = sorted((one, other), key=len)
    large |= small
    return large


def _speaker(spans: Sequence[Fact], group: Sequence[int]) -> int:
    """The span that says most of a call; of equals the first."""
    return max(group, key=lambda at: _says(spans[at])) if len(group) > 1 else group[0]


def _says(fact: Fact) -> tuple[int, int, bool]:
    return (
        fact.input_tokens + fact.output_tokens + fact.unsplit_tokens,
        fact.cache_read_tokens + fact.cache_write_tokens + fact.reasoning_tokens,
        fact.priced,
    )
