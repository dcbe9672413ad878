"""The rate limit of the receiver: how fast a project may send."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST = 10.0
"""Seconds' worth of bytes that may come at once."""

LEAST_BYTES = 1024
"""A smaller request counts as this many bytes: it takes as much work."""


class RateLimit:
    """A bucket of bytes for each project, which fills with time.

    A request passes while the bucket is not empty, however large it is: the bucket then owes, and the next has to wait.
    So a request larger than the burst is not refused for ever.

    Args:
        rate: bytes a second; 0 lets everything pass.
        clock: returns seconds.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, project: str, size: int) -> float:
        """Take a request's bytes.

        Returns:
            0 if it may pass, else the seconds after which to ask again.
        """
        if not self._rate:
            return 0.0
        now = self._clock()
        level, since = self._buckets.get(project, (self._rate * BURST, now))
        level = min(level + (now - since) * self._rate, self._rate * BURST)
        if level <= 0:
            return max(-level / self._rate, 0.1)
        self._buckets[project] = (level - max(size, LEAST_BYTES), now)
        return 0.0
