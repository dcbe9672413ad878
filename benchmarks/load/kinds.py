"""The kinds of load: what a trace is made of, and how many run side by side."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from benchmarks.load import agents, services
from benchmarks.load.texts import Texts
from benchmarks.load.turns import SPANS_PER_TRACE, Conversation, LoadSpan, TurnUsage, turn

Turn = Callable[[Conversation, Random, Texts, int], tuple[list[LoadSpan], TurnUsage]]
"""Makes one trace that starts at a time (nanoseconds), and what is true of it."""


class Kind(NamedTuple):
    """A kind of load."""

    spans: int
    """Of a trace."""
    turn: Turn
    open_traces: int = 40
    """Traces that run side by side; with 1 each is whole before the next one begins."""
    fresh_texts: bool = False
    """Texts don't repeat."""


KINDS = {
    "chat": Kind(SPANS_PER_TRACE, turn),
    "whole traces": Kind(SPANS_PER_TRACE, turn, open_traces=1),
    "fresh texts": Kind(SPANS_PER_TRACE, turn, fresh_texts=True),
    "agents": Kind(agents.SPANS, agents.agent_turn),
    "plain": Kind(services.PLAIN, services.plain_turn),
    "long traces": Kind(services.LONG, services.long_turn, open_traces=4),
}
"""By name."""
