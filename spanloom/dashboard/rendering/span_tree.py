"""The spans of a trace in the order and depth in which a tree shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from spanloom.warehouse.queries.answers import TreeSpan


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree."""

    span: TreeSpan
    depth: int
    """Ancestors above it that are there."""
    descendants: int
    """Lines right below it that belong to it."""
    orphan: bool
    """Whether it names a parent that is not there: it may still arrive."""


def lines_of(spans: Sequence[TreeSpan]) -> list[Line]:
    """Return every span once, parents before children, siblings in the order given.

    A span whose parent is missing stands at the top; of spans that name each other as parents, the first does.
    """
    known = {span.span_id: number for number, span in enumerate(spans)}
    children: dict[int, list[int]] = defaultdict(list)
    roots = []
    for number, span in enumerate(spans):
        parent = known.get(span.parent_span_id) if span.parent_span_id else None
        if parent is None or parent == number:
            roots.append(number)
        else:
            children[parent].append(number)
    order: list[tuple[int, int]] = []
    seen = bytearray(len(spans))
    for start in (*roots, *range(len(spans))):
        _walk(start, children, seen, order)
    descendants = _descendants([depth for _, depth in order])
    return [
        Line(spans[number], depth, below, bool(spans[number].parent_span_id) and depth == 0)
        for (number, depth), below in zip(order, descendants, strict=True)
    ]


def _walk(start: int, children: dict[int, list[int]], seen: bytearray, order: list[tuple[int, int]]) -> None:
    # Not recursive: a hostile trace is 20,000 levels deep.
    waiting = [(start, 0)]
    while waiting:
        number, depth = waiting.pop()
        if seen[number]:
            continue
        seen[number] = 1
        order.append((number, depth))
        waiting.extend((child, depth + 1) for child in reversed(children.get(number, ())))


def _descendants(depths: list[int]) -> list[int]:
    below = [0] * len(depths)
    open_lines: list[int] = []
    for number, depth in enumerate((*depths, 0)):
        while open_lines and depths[open_lines[-1]] >= depth:
            line = open_lines.pop()
            below[line] = number - line - 1
        if number < len(depths):
            open_lines.append(number)
    return below
