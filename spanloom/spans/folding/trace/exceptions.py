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


def exceptions(spans: Sequence[Fact], usage: Counted) -> Exceptions:
    """Return what is not as the view expects it."""
    counts = _ids(usage.tokens) | _ids(usage.silent)
    costs = _ids(usage.cost)
    unpriced = _ids(usage.unpriced)
    found: tuple[list[str], list[str], list[str]] = [], [], []
    for fact in spans:
        span_id = fact.span_id
        is_call = fact.span_type in _CALLS
        its_tokens = span_id in counts
        its_cost = span_id in costs if fact.total_cost else its_tokens
        expected = is_call, is_call, is_call and not fact.priced and fact.status != _ERROR
        for ids, one, other in zip(found, (its_tokens, its_cost, span_id in unpriced), expected, strict=True):
            if one != other:
                ids.append(f"{span_id:016x}")
    return Exceptions(*map(tuple, found))


def _ids(facts: Iterable[Fact]) -> set[int]:
    return {fact.span_id for fact in facts}
