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
    return Counters(
        span_count=len(spans),
        llm_call_count=llm_calls,
        tool_call_count=_sum([fact.span_type == _TOOL for fact in spans]),
        failure_count=failures,
        error_count=_sum([fact.status == _ERROR for fact in spans]),
        input_tokens=_sum([fact.input_tokens for fact in tokens]),
        output_tokens=_sum([fact.output_tokens for fact in tokens]),
        cache_read_tokens=_sum([fact.cache_read_tokens for fact in tokens]),
        cache_write_tokens=_sum([fact.cache_write_tokens for fact in tokens]),
        reasoning_tokens=_sum([fact.reasoning_tokens for fact in tokens]),
        unsplit_tokens=_sum([fact.unsplit_tokens for fact in tokens]),
        input_cost=_sum([fact.input_cost for fact in cost]),
        output_cost=_sum([fact.output_cost for fact in cost]),
        total_cost=_sum([fact.total_cost for fact in cost]),
        unpriced_call_count=unpriced,
    )


def add(some: Iterable[Counters]) -> Counters:
    """Return the sums of some counters, at least one."""
    return Counters._make(map(_sum, zip(*some, strict=True)))


def _sum(values: Iterable[int]) -> int:
    return min(sum(values), MAX_COUNTER)
