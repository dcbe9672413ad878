"""Records that lie in the log and do not come are found by asking the log.

A gap shows itself with the next record (`continuity.py`). Behind the last one nothing would: what Faust has left out
there would wait for somebody to produce again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from spanloom.agents.consuming.records import Partition


class Stalls:
    """Compares two looks at what comes next.

    Args:
        positions: returns the next offset of every partition that is held.
        ends: returns the ends of partitions in the log, or lower numbers where the broker does not know better.
    """

    def __init__(
        self,
        positions: Callable[[], Mapping[Partition, int]],
        ends: Callable[[Mapping[Partition, int]], Awaitable[Mapping[Partition, int]]],
    ) -> None:
        self._positions = positions
        self._ends = ends
        self._last: Mapping[Partition, int] = {}
        self._told: dict[Partition, tuple[int, int]] = {}

    async def look(self) -> dict[Partition, int]:
        """Return where to go on in partitions of topics of which nothing has come since the last look.

        While one partition of a topic moves, the others may just wait for their turn. Of one place and end it is told
        once: what lies there may be no record at all, but the mark of a transaction.
        """
        last, self._last = self._last, self._positions()
        moved = {topic for (topic, number), at in self._last.items() if last.get((topic, number)) != at}
        standing = {partition: at for partition, at in self._last.items() if partition[0] not in moved}
        if not standing:
            return {}
        ends = await self._ends(standing)
        behind = {partition: (at, ends.get(partition, 0)) for partition, at in standing.items()}
        told, self._told = self._told, behind
        return {
            partition: at
            for partition, (at, end) in behind.items()
            if end > at and told.get(partition) != (at, end)
        }
