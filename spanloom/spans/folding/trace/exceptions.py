"""What a span's own columns don't tell of how it counts in its trace.

Most calls count, and nothing else does; so the view `spans` takes every LLM and EMBEDDING span for one that counts and
every other for one that does not, and a trace's row names the spans of which the opposite is true: wrappers of those
types, calls told twice, an agent that counts instead of its calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.usage import Counted
from spanloom.spans.table import SPAN_TYPES, STATUSES

_CALLS = SPAN_TYPES.index("LLM"), SPAN_TYPES.index("EMBEDDING")
_ERROR = STATUSES.index("error")


class Exceptions(NamedTuple):
    """IDs of spans, 16 hexadecimal digits each, in the order of the spans."""

    counts: tuple[str, ...] = ()
    """Calls whose tokens do not count, and others whose tokens do."""
    cost_counts: tuple[str, ...] = ()
    """The same of the costs."""
    unpriced: tuple[str, ...] = ()
    """Calls without a known price, unless they failed, whose cost is known or counts elsewhere; and others whose cost
    nobody knows though it counts."""


_NONE = Exceptions()


def exceptions(spans: Sequence[Fact], usage: Counted) -> Exceptions:
    """Return what is not as the view expects it."""
    calls = [fact for fact in spans if fact.span_type in _CALLS]
    expected = _ids(calls)
    counts = _ids(usage.tokens) | _ids(usage.silent)
    stating = {fact.span_id for fact in spans if fact.total_cost}
    # Where a span has no cost, its tokens decide.
    costs = (_ids(usage.cost) & stating) | (counts - stating)
    unpriced = {fact.span_id for fact in calls if not fact.priced and fact.status != _ERROR}
    found = counts ^ expected, costs ^ expected, _ids(usage.unpriced) ^ unpriced
    if not any(found):
        return _NONE
    return Exceptions(
        *(tuple(f"{fact.span_id:016x}" for fact in spans if fact.span_id in ids) for ids in found)
    )


def _ids(facts: Iterable[Fact]) -> set[int]:
    return {fact.span_id for fact in facts}
