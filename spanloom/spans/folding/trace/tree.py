"""The tree that the spans of a trace form."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from spanloom.spans.folding.fact import Fact

NO_PARENT = -1


class Tree:
    """Spans by position: sorted by start and span ID, so that whatever is decided by position is a function of the set.

    A parent that is not among the spans is none. Parents of a hostile trace may form circles: each is cut at its
    earliest span.
    """

    __slots__ = ("down", "parent", "spans")

    def __init__(self, facts: Collection[Fact]) -> None:
        self.spans: Sequence[Fact] = sorted(facts, key=_by_start)
        """The spans, earliest first."""
        position = {fact.span_id: at for at, fact in enumerate(self.spans)}
        self.parent: list[int] = [
            NO_PARENT if fact.parent_span_id == fact.span_id else position.get(fact.parent_span_id, NO_PARENT)
            for fact in self.spans
        ]
        """The position of each span's parent, NO_PARENT without one."""
        self.down: Sequence[int] = self._from_the_top()
        """All positions, every span behind its parent."""

    def _from_the_top(self) -> list[int]:
        parent = self.parent
        if all(above < at for at, above in enumerate(parent)):
            # Spans start after their parents, but for clocks that differ.
            return list(range(len(parent)))
        children: list[list[int]] = [[] for _ in parent]
        order = []
        for at, above in enumerate(parent):
            if above == NO_PARENT:
                order.append(at)
            else:
                children[above].append(at)
        reached = [False] * len(parent)
        self._walk(order, children, reached)
        if len(order) < len(parent):
            for at in range(len(parent)):
                if not reached[at]:
                    # Every span that is left stands in a circle or below one; this is the earliest.
                    first = self._in_its_circle(at)
                    parent[first] = NO_PARENT
                    start = len(order)
                    order.append(first)
                    self._walk(order, children, reached, start)
        return order

    @staticmethod
    def _walk(order: list[int], children: list[list[int]], reached: list[bool], start: int = 0) -> None:
        """Append to `order` what lies below its positions from `start` on."""
        for at in order[start:]:
            reached[at] = True
        position = start
        while position < len(order):
            for child in children[order[position]]:
                if not reached[child]:
                    reached[child] = True
                    order.append(child)
            position += 1

    def _in_its_circle(self, at: int) -> int:
        """The earliest span of the circle above a span that nothing above leads out of."""
        seen: set[int] = set()
        while at not in seen:
            seen.add(at)
            at = self.parent[at]
        circle, first = at, at
        while (at := self.parent[at]) != circle:
            first = min(first, at)
        return first


def _by_start(fact: Fact) -> tuple[int, int]:
    return fact.start_time, fact.span_id
