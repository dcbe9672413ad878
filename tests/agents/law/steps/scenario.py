"""What scenarios are made of."""

from __future__ import annotations

from tests.agents.law.cases import HOUR, MINUTE, START, Case, Message, SpanOf
from tests.agents.law.simulation import STAGES, Event, Forget, Step

FIRST = START + 3 * MINUTE
LATER = START + 4 * HOUR
"""By then all that came first is forgotten."""

ROUND = tuple(Step(stage, 1) for stage in STAGES)
"""Each stage takes a record."""


def call(parent: int, start: int, session: str = "s", key: str = "session__id") -> SpanOf:
    """Return a call; `start` is in ms after `START`."""
    return SpanOf(parent, start, session, key, calls=True)


def one(trace: int, number: int, timestamp: int) -> Message:
    """Return a message of one span."""
    return Message(((trace, number),), timestamp, 0)


def case(
    spans: dict[tuple[int, int], SpanOf],
    *messages: Message,
    steps: tuple[Step | Forget | Event, ...],
) -> Case:
    """Return a case of one worker whose changelogs began a day before."""
    return Case(START - 24 * HOUR, True, 1, spans, messages, steps)
