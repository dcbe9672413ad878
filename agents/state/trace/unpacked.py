"""The traces of a partition that are kept unpacked: those that had news last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container
from itertools import islice

from spanloom.agents.state.trace.open_trace import OpenTrace
from spanloom.spans.folding.facts import TraceKey


class Unpacked:
    """The traces that are kept unpacked, those without news for the longest time first.

    Args:
        most: how many there are at most between two batches.
        unpack: unpacks one.
    """

    def __init__(self, most: int, unpack: Callable[[TraceKey, OpenTrace], None]) -> None:
        self._most = most
        self._unpack = unpack
        self._traces: OrderedDict[TraceKey, OpenTrace] = OrderedDict()

    def touch(self, key: TraceKey, trace: OpenTrace) -> None:
        """Note that a trace is worked on, and unpack it if it is packed."""
        if trace.unpacked is None:
            self._unpack(key, trace)
            self._traces[key] = trace
        else:
            self._traces.move_to_end(key)

    def drop(self, key: TraceKey) -> None:
        """Follow that a trace is not open any more."""
        self._traces.pop(key, None)

    def pack(self, kept: Container[TraceKey]) -> None:
        """Pack those beyond the most, but for `kept`."""
        for key in list(islice(self._traces, max(0, len(self._traces) - self._most))):
            if key not in kept:
                self._traces.pop(key).pack(key)
