"""How each span of a trace stands to its usage: it counts, tells of a call that another one tells of, or repeats."""

from __future__ import annotations

from collections.abc import Sequence

from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.calls import EMBEDDING, LLM, Calls
from spanloom.spans.folding.trace.loops import contained_in_later
from spanloom.spans.folding.trace.tree import NO_PARENT, Tree
from spanloom.spans.folding.trace.usage import Counted, tokens_of
from spanloom.spans.table import IS_COPY

_LONGEST = 60
"""Characters of a span's name in a sentence."""


def named(fact: Fact) -> str:
    """A span as sentences name it."""
    name = fact.name if len(fact.name) <= _LONGEST else f"{fact.name[:_LONGEST]}…"
    return f"{name} ({fact.span_id:016x})"


def standings(tree: Tree, calls: Calls, usage: Counted) -> list[list[str]]:
    """For each span, in the order of the tree, what is to be said about its usage: sentences without a full stop."""
    speaker = {at: speaker for speaker, group in calls.items() for at in group}
    tokens, cost, unpriced = (_ids(some) for some in (usage.tokens, usage.cost, usage.unpriced))
    contained = contained_in_later(tree, calls)
    found = []
    for at, fact in enumerate(tree.spans):
        sentences = []
        first = speaker.get(at)
        if first is not None and first != at:
            found.append([_told_twice(fact, tree.spans[first])])
            continue
        if first is not None and len(calls[at]) > 1:
            sentences.append(
                f"{len(calls[at])} spans tell of this call; this one says most and speaks for it"
            )
        above = _counting_above(tree, at, tokens | cost)
        if fact.span_id in tokens:
            sentences.append("its tokens count")
        elif at in contained:
            sentences.append(
                "its tokens are part of what the next call below the same span states, which adds up the whole loop"
            )
        elif above is not None and fact.span_id not in unpriced and (tokens_of(fact) or first is not None):
            sentences.append(
                f"its tokens count with those of {named(above)}, which stands above: a call below that one states"
                " none, or only its last step, and its own number is the larger"
            )
        elif tokens_of(fact):
            sentences.append(
                "its tokens repeat those of the calls below, which all state their own, or at least as many"
            )
        elif first is not None:
            sentences.append("it is a call that states no tokens")
        if first is None and fact.span_type in (LLM, EMBEDDING):
            sentences.append("it is a span around calls, and no call of its own")
        sentences += _about_cost(fact, above, fact.span_id in tokens, fact.span_id in cost)
        if fact.span_id in unpriced:
            sentences.append("it counts in unpriced_call_count")
        found.append(sentences)
    return found


def _about_cost(fact: Fact, above: Fact | None, tokens_count: bool, cost_counts: bool) -> list[str]:
    if cost_counts and not tokens_count:
        return ["its cost counts, for what counts below states none"]
    if tokens_count and not cost_counts and fact.total_cost:
        return [f"its cost does not: {named(above)} above states it" if above else "its cost does not"]
    return []


def _told_twice(fact: Fact, speaker: Fact) -> str:
    if (fact.marks | speaker.marks) & IS_COPY:
        why = "their SDK marks one of them as a copy"
    elif fact.response_id and fact.response_id == speaker.response_id:
        why = "they carry the same response ID"
    else:
        why = "two instrumentations recorded it, and what they tell agrees"
    return f"it tells of the same call as {named(speaker)}, which says more and counts: {why}"


def _counting_above(tree: Tree, at: int, ids: frozenset[int]) -> Fact | None:
    """The nearest span above that counts."""
    while (at := tree.parent[at]) != NO_PARENT:
        if tree.spans[at].span_id in ids:
            return tree.spans[at]
    return None


def _ids(facts: Sequence[Fact]) -> frozenset[int]:
    return frozenset(fact.span_id for fact in facts)
