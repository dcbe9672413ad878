"""Calls that stand beside each other in the tree and are told twice, and copies that SDKs mark as such."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby

from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.groups import Groups, Said
from spanloom.spans.folding.trace.tree import NO_PARENT, Tree

_LOOKED_AT = 16
"""At most this many spans are compared with one: hostile traces have thousands side by side."""


def join_by_response(spans: Sequence[Fact], calls: Iterable[int], groups: Groups) -> None:
    """Join spans that carry the same ID of a response, wherever they stand."""
    first: dict[tuple[int, str], int] = {}
    for at in calls:
        fact = spans[at]
        if fact.response_id:
            groups.join(first.setdefault((fact.span_type, fact.response_id), at), at)


def join_neighbours(
    spans: Sequence[Fact], calls: Sequence[int], around: Sequence[int], groups: Groups
) -> None:
    """Join what different instrumentations wrote below one span.

    Args:
        spans: all spans of the trace.
        calls: positions of those that tell of calls, in order.
        around: for each span the nearest one around it that tells of no call.
        groups: what is known to be one already.
    """
    if len({spans[at].scope for at in calls}) < 2:
        return
    for _, places in groupby(sorted(calls, key=lambda at: (around[at], at)), key=lambda at: around[at]):
        _join_in_order(spans, places, groups)


def _join_in_order(spans: Sequence[Fact], places: Iterable[int], groups: Groups) -> None:
    """Each span looks among the earlier ones for its like: those with the same tokens first, then those with none."""
    waiting = _Waiting(spans, groups)
    for at in places:
        partner = waiting.partner_of(at)
        if partner is not None:
            groups.join(partner, at)
        waiting.add(at)


class _Waiting:
    """Spans that have begun, by what they say."""

    def __init__(self, spans: Sequence[Fact], groups: Groups) -> None:
        self._spans = spans
        self._groups = groups
        self._by_tokens: dict[Said, deque[int]] = {}
        self._all: deque[int] = deque()
        self._taken: set[int] = set()

    def add(self, at: int) -> None:
        said = self._groups.said(self._groups.find(at))
        self._by_tokens.setdefault(said, deque()).append(at)
        self._all.append(at)

    def partner_of(self, at: int) -> int | None:
        said = self._groups.said(self._groups.find(at))
        queues = (said, (0, 0, 0)) if any(said) else None
        for queue in (self._by_tokens.get(key) for key in queues) if queues else (self._all,):
            if queue and (partner := self._look_in(queue, at)) is not None:
                # Whoever comes next finds the later one of the two.
                self._taken.add(partner)
                return partner
        return None

    def _look_in(self, queue: deque[int], at: int) -> int | None:
        begins = self._spans[at].start_time
        passed: list[int] = []
        found = None
        while queue and found is None and len(passed) < _LOOKED_AT:
            other = queue.popleft()
            fact = self._spans[other]
            if other in self._taken or fact.start_time + fact.duration < begins:
                continue
            passed.append(other)
            if self._groups.find(other) != self._groups.find(at) and self._groups.are_one(other, at):
                found = other
        queue.extendleft(reversed(passed))
        return found


def join_copies(tree: Tree, copies: Iterable[int], calls: Iterable[int], groups: Groups) -> list[int]:
    """Join each copy with its call: that of the same response, else the last one below the same span that began
    before it, if that says the same or nothing; return the copies without one."""
    spans, parent = tree.spans, tree.parent
    by_response = {spans[at].response_id: at for at in calls if spans[at].response_id}
    below: dict[int, list[int]] = {}
    for at in calls:
        below.setdefault(parent[at], []).append(at)
    alone = []
    for at in copies:
        call = by_response.get(spans[at].response_id)
        if call is None:
            call = _copied(spans, at, below.get(parent[at], ()), groups)
        if call is None:
            alone.append(at)
        else:
            groups.join(call, at)
        if spans[at].response_id:
            by_response.setdefault(spans[at].response_id, at)
    return alone


def _copied(spans: Sequence[Fact], copy: int, calls: Sequence[int], groups: Groups) -> int | None:
    said = groups.said(copy)
    earlier = [at for at in calls if at < copy][-_LOOKED_AT:]
    for wanted in (said, (0, 0, 0)):
        for at in reversed(earlier):
            group = groups.find(at)
            responses = {groups.response(group), spans[copy].response_id} - {""}
            if groups.said(group) == wanted and len(responses) <= 1:
                return at
    return None


def spans_around(tree: Tree, calls: Iterable[int]) -> list[int]:
    """For each span the position of the nearest one around it that tells of no call, NO_PARENT without one."""
    telling = set(calls)
    around = [NO_PARENT] * len(tree.spans)
    for at in tree.down:
        above = tree.parent[at]
        around[at] = around[above] if above in telling else above
    return around
