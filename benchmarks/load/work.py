"""What a worker is given to do: so many spans of a kind, in messages of a size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from benchmarks.load.encode import SPANS_PER_MESSAGE, messages
from benchmarks.load.kinds import KINDS
from benchmarks.load.load import Load
from benchmarks.load.turns import LoadSpan

Compression = Literal["none", "lz4"]

Encode = Callable[[Iterable[LoadSpan], int], Iterator[bytes]]
"""Turns spans into values of a topic, so many spans each."""


@dataclass(frozen=True)
class Work:
    """What a worker is given to do."""

    spans: int
    """Rounded up to whole traces."""
    kind: str = "chat"
    """One of `benchmarks.load.kinds.KINDS`."""
    per_message: int = SPANS_PER_MESSAGE
    compression: Compression = "none"
    """Of what exporters produce and of what the worker inserts; what a worker produces itself is its own choice."""
    seed: int = 1
    twice: int = 0
    """Every message of this number is appended a second time, none if 0."""

    def load(self, ahead: int = 0) -> Load:
        """Return the load, whose first trace starts `ahead` ms from now."""
        start = time.time_ns() + ahead * 1_000_000
        return Load(self.spans, start=start, seed=self.seed, kind=KINDS[self.kind])

    def values(self, load: Load, encode: Encode = messages) -> Iterator[bytes]:
        """The values to be appended, in their order."""
        for number, value in enumerate(encode(load.spans(), self.per_message), 1):
            yield value
            if self.twice and number % self.twice == 0:
                yield value
