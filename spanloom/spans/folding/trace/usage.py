"""Usage counts once, and completely.

A span around calls repeats what they used, and some say more than the calls below them: a streamed call without usage,
an agent whose calls nobody records. So for each span that states usage, seen from the leaves upwards: if every call
below it (at least one) states its own, these are believed; otherwise the larger counts, its own statement or the sum of
what counts below it, as one.

A call around other calls (`calls`) counts beside them. Some instrumentations state less than a call used: only the last
step of several; their calls state their usage as little as silent ones do. Others state more: each call of a loop
states all that the loop has used so far; then the last one counts for all.

Tokens and cost are decided alike but for two cases: a cost that stands above exactly one call, which states none, is
that call's; and who states a cost only is compared by the cost.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from spanloom.spans.conventions.families import STATE_THE_LAST_STEP
from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.calls import Calls
from spanloom.spans.folding.trace.loops import contained_in_later
from spanloom.spans.folding.trace.tree import NO_PARENT, Tree
from spanloom.spans.table import COST_IS_STATED, OUTPUT_IS_MESSAGE, STATUSES

_ERROR = STATUSES.index("error")


@dataclass(frozen=True, slots=True)
class Counted:
    """Whose numbers count, in the order of the spans."""

    tokens: Sequence[Fact]
    """Spans whose tokens count."""
    cost: Sequence[Fact]
    """Spans whose costs count; nearly always the same."""
    unpriced: Sequence[Fact]
    """Of the calls, and of what counts instead of them, those that have a cost that nobody knows."""
    silent: Sequence[Fact]
    """Calls that state no tokens: they count, as nothing."""


def tokens_of(fact: Fact) -> int:
    """All tokens that a span states."""
    return fact.input_tokens + fact.output_tokens + fact.unsplit_tokens


def counted(tree: Tree, calls: Calls) -> Counted:
    """Return what counts of the usage of a trace."""
    spans, parent = tree.spans, tree.parent
    size = len(spans)
    retold = {at for speaker, group in calls.items() for at in group if at != speaker}
    contained = contained_in_later(tree, calls)
    stating = [at for at, fact in enumerate(spans) if fact.total_cost or tokens_of(fact)]
    if not contained and all(at in calls or at in retold for at in stating):
        return _all_of(spans, calls)
    # Of what lies below each span: calls, those of them that state no usage, the last one seen, tokens and cost.
    below_calls, below_silent, below_last = [0] * size, [0] * size, [0] * size
    below_tokens, below_cost = [0] * size, [0] * size
    tokens_count, cost_counts = bytearray(size), bytearray(size)
    around_others: set[int] = set()
    for at in reversed(tree.down):
        tokens, cost = below_tokens[at], below_cost[at]
        count, silent = below_calls[at], below_silent[at]
        fact = spans[at]
        own_tokens, own_cost = (
            (0, 0) if at in retold or at in contained else (tokens_of(fact), fact.total_cost)
        )
        if count and at in calls:
            around_others.add(at)
            tokens_count[at], tokens = bool(own_tokens), tokens + own_tokens
            cost_counts[at], cost = bool(own_cost), cost + own_cost
        elif own_tokens or own_cost:
            if not count or silent:
                if own_tokens > tokens or (own_tokens == tokens and own_cost > cost):
                    tokens_count[at], tokens = True, own_tokens
                    cost_counts[at], cost = True, own_cost
                elif own_cost > cost and not own_tokens:
                    cost_counts[at], cost = True, own_cost
            elif count == 1 and own_cost and fact.marks & COST_IS_STATED:
                call = spans[below_last[at]]
                if not call.marks & COST_IS_STATED:
                    cost_counts[at], cost = True, own_cost
        above = parent[at]
        if at in calls:
            count += 1
            states = own_tokens or own_cost or at in contained
            silent += not states or fact.scope in STATE_THE_LAST_STEP
            below_last[at] = at
        if above != NO_PARENT:
            below_tokens[above] += tokens
            below_cost[above] += cost
            below_calls[above] += count
            below_silent[above] += silent
            if count:
                below_last[above] = below_last[at]
    _only_the_topmost(tree, tokens_count, around_others)
    _only_the_topmost(tree, cost_counts, around_others)
    return Counted(
        tokens=[spans[at] for at in range(size) if tokens_count[at]],
        cost=[spans[at] for at in range(size) if cost_counts[at]],
        unpriced=_unpriced(tree, calls, tokens_count, cost_counts, around_others),
        silent=[spans[at] for at in calls if not tokens_of(spans[at])],
    )


def _all_of(spans: Sequence[Fact], calls: Calls) -> Counted:
    """What counts where nothing but calls states usage, as in most traces: each of them."""
    stating = [spans[at] for at in calls if spans[at].total_cost or tokens_of(spans[at])]
    silent = [spans[at] for at in calls if not tokens_of(spans[at])]
    unpriced = [
        spans[at]
        for at, group in calls.items()
        if not spans[at].priced and (tokens_of(spans[at]) or not _is_known_to_be_free(spans, group))
    ]
    return Counted(tokens=stating, cost=stating, unpriced=unpriced, silent=silent)


def _only_the_topmost(tree: Tree, marked: bytearray, around_others: Set[int]) -> None:
    """Of marked spans above each other leave the topmost: who counts, counts instead of all below, but for calls around
    others."""
    if sum(marked) < 2:
        return
    below = bytearray(len(marked))
    for at in tree.down:
        above = tree.parent[at]
        if above != NO_PARENT and ((marked[above] and above not in around_others) or below[above]):
            below[at] = True
    for at, is_below in enumerate(below):
        if is_below:
            marked[at] = False


def _unpriced(
    tree: Tree, calls: Calls, tokens_count: bytearray, cost_counts: bytearray, around_others: Set[int]
) -> list[Fact]:
    """What counts and has no known price, and calls whose usage nobody knows: these must not look free."""
    spans, parent = tree.spans, tree.parent
    doubtful = [
        at
        for at, fact in enumerate(spans)
        if not fact.priced
        and (
            tokens_count[at]
            or (at in calls and not tokens_of(fact) and not _is_known_to_be_free(spans, calls[at]))
        )
    ]
    if not doubtful:
        return []
    # Tokens or a cost that count above speak for all below.
    spoken_for = bytearray(len(spans))
    for at in tree.down:
        above = parent[at]
        if above != NO_PARENT:
            counts = (tokens_count[above] or cost_counts[above]) and above not in around_others
            spoken_for[at] = bool(spoken_for[above] or counts)
    return [spans[at] for at in doubtful if not spoken_for[at]]


def _is_known_to_be_free(spans: Sequence[Fact], group: Sequence[int]) -> bool:
    """A call that failed before it answered anything."""
    return any(spans[at].status == _ERROR for at in group) and not any(
        spans[at].marks & OUTPUT_IS_MESSAGE for at in group
    )
