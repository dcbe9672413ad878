"""Traces as they happen: some every second, dated now."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from random import Random

from benchmarks.load.encode import message
from benchmarks.load.texts import Texts
from benchmarks.load.turns import Conversation, turn
from benchmarks.produce import PARTITIONS, producer

SPANS = 10
"""Of a trace."""

_TURN = 6.0  # seconds between two traces of a session


async def send_live(
    bootstrap_servers: str,
    rate: float,
    seconds: float,
    traces: int = 1,
    sent: Callable[[str, float], None] | None = None,
) -> int:
    """Append messages at a steady pace, to all partitions in turn; returns how many there were.

    Args:
        rate: messages a second.
        seconds: how long.
        traces: in a message, of a session each.
        sent: is told the session of every trace, and when the broker had acknowledged it, by the monotonic clock.
    """
    random = Random(1)
    texts = Texts(random)
    several = max(1, round(rate * traces * _TURN))
    conversations = itertools.cycle(
        Conversation(random, f"live-{number:05d}", 0, number % 20) for number in range(several)
    )
    count = round(rate * seconds)
    sender = producer(bootstrap_servers)
    await sender.start()
    try:
        began = time.monotonic()
        for number in range(count):
            spoken = list(itertools.islice(conversations, traces))
            spans = [span for each in spoken for span in turn(each, random, texts, time.time_ns())[0]]
            await sender.send_and_wait("otlp_spans", message(spans), partition=number % PARTITIONS)
            if sent:
                for each in spoken:
                    sent(each.session_id, time.monotonic())
            await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))
    finally:
        await sender.stop()
    return count
