"""The counters of traces, session windows and sessions: which there are, and how they follow from spans.

This is the one place where a counter is declared. The columns of the tables, what a contribution carries and what is
looked up follow from it (it has a field in `schemas/facts.proto`, which a test compares). So do the sums of a session:
each of its counters is the sum over its traces.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from spanloom.spans.folding.fact import Fact
from spanloom.spans.table import SPAN_TYPES, STATUSES

MAX_COUNTER = 2**63 - 1
"""Sums stop here: only garbage gets there, and 64-bit columns hold no more."""

_TOOL = SPAN_TYPES.index("TOOL")
_ERROR = STATUSES.index("error")


class Counters(NamedTuple):
    """The sums. Each is a column of the same name; `*_cost` are USD there and whole picodollars here."""

    span_count: int
    llm_call_count: int
    tool_call_count: int
    failure_count: int
    """Spans that failed by themselves, not because one below them did: one failure is one."""
    error_count: int
    """All spans with status error."""
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    unsplit_tokens: int
    """Tokens of which only the number is known, not whether they were read or written."""
    input_cost: int
    output_cost: int
    total_cost: int
    unpriced_call_count: int


_TOKENS = slice(Fact._fields.index("input_tokens"), Fact._fields.index("unsplit_tokens") + 1)
_COSTS = slice(Fact._fields.index("input_cost"), Fact._fields.index("total_cost") + 1)

NOTHING = Counters._make([0] * len(Counters._fields))
"""The counters of nothing."""


def count(
    spans: Collection[Fact],
    *,
    tokens: Collection[Fact],
    cost: Collection[Fact],
    llm_calls: int,
    failures: int,
    unpriced: int,
) -> Counters:
    """Return the counters of a trace.

    Args:
        spans: the facts of all its spans.
        tokens: those of the spans whose tokens count.
        cost: those of the spans whose costs count.
        llm_calls: how many calls of language models there are.
        failures: how many spans failed by themselves.
        unpriced: how many calls have a cost that nobody knows.
    """
    return Counters._make(
        (
            len(spans),
            llm_calls,
            _sum([fact.span_type == _TOOL for fact in spans]),
            failures,
            _sum([fact.status == _ERROR for fact in spans]),
            *_sums(tokens, _TOKENS),
            *_sums(cost, _COSTS),
            unpriced,
        )
    )


def _sums(facts: Collection[Fact], fields: slice) -> Iterable[int]:
    """The sums of some fields, which stand in the same order in `Counters`."""
    if not facts:
        return [0] * (fields.stop - fields.start)
    return map(_sum, zip(*(fact[fields] for fact in facts), strict=True))


def add(some: Iterable[Counters]) -> Counters:
    """Return the sums of some counters, at least one."""
    return Counters._make(map(_sum, zip(*some, strict=True)))


def _sum(values: Iterable[int]) -> int:
    return min(sum(values), MAX_COUNTER)
