"""One trace that grows, and one session that does, as OTLP messages."""

from __future__ import annotations

from collections.abc import Iterator

from tests.integration.otlp import llm, message, span


def one_trace(spans: int, each: int, begin: int) -> Iterator[bytes]:
    """A root, an agent in every hundred spans, and calls below the last agent; `each` spans a message.

    Args:
        begin: when the first span starts, ns.
    """
    for first in range(1, spans + 1, each):
        some = []
        for number in range(first, min(first + each, spans + 1)):
            agent = number - number % 100 or 1
            make = span if number == agent else llm
            above = 0 if number == 1 else 1 if number == agent else agent
            some.append(make(7, number, above, start=begin + number, session__id="s"))
        yield message(*some)


def one_session(traces: int, each: int, begin: int) -> Iterator[bytes]:
    """Traces of one call each, `each` of them a message."""
    for first in range(1, traces + 1, each):
        numbers = range(first, min(first + each, traces + 1))
        yield message(*(llm(number, 1, start=begin + number, session__id="s") for number in numbers))
