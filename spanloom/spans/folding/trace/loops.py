"""Loops of a model and its tools whose calls each state what the loop has used so far.

Spring AI 1 adds up: the second call of a loop states its own tokens and those of the first, and so on. What a call of
such an instrumentation states is contained in the next one below the same span where a tool ran between the two, and
what is added does not shrink: a conversation only grows, so that each call reads at least what the one before it read.
"""

from __future__ import annotations

from collections.abc import Collection

from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.table import SPAN_TYPES, USAGE_ADDS_UP

_TOOL = SPAN_TYPES.index("TOOL")


def contained_in_later(tree: Tree, calls: Collection[int]) -> frozenset[int]:
    """Return the calls whose usage a later call of their loop states as well."""
    spans = tree.spans
    adding_up = [at for at in calls if spans[at].marks & USAGE_ADDS_UP]
    if len(adding_up) < 2:
        return frozenset()
    # By the parent that they name: spans whose parents are missing are no loop.
    loops: dict[int, list[int]] = {spans[at].parent_span_id: [] for at in adding_up}
    adding = set(adding_up)
    for at, fact in enumerate(spans):
        if fact.parent_span_id in loops and (at in adding or fact.span_type == _TOOL):
            loops[fact.parent_span_id].append(at)
    return frozenset(at for loop in loops.values() for at in _contained([spans[at] for at in loop], loop))


def _contained(steps: list[Fact], places: list[int]) -> list[int]:
    """Of calls and tools in order the calls that the next one contains."""
    contained = []
    last, last_place, tool_ran = None, -1, False
    least = 0
    for step, place in zip(steps, places, strict=True):
        if step.span_type == _TOOL:
            tool_ran = True
            continue
        read = step.input_tokens
        if last is not None and tool_ran and step.output_tokens >= last.output_tokens:
            added = step.input_tokens - last.input_tokens
            if added >= least:
                contained.append(last_place)
                read = added
        last, last_place, tool_ran, least = step, place, False, read
    return contained
