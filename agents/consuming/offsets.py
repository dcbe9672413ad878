"""Offset tracking: records leave the consumer in order, without gaps and without repeats.

Faust may hand out records before it has sought to where reading begins, hand them out twice, or leave some out
around a rebalance. A checkpoint commits the last offset of a batch, so one that was left out would be lost for
good. What leaves the consumer is therefore compared with what must come next. Records already delivered are dropped.
A gap is accepted only if the log itself has it (deleted or compacted records, marks of transactions); otherwise
reading goes back. A gap behind the last record delivered would never show: the positions of stalled partitions are
compared with the ends of the log.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from spanloom.agents import metrics
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.records import Partition, SourceRecord, source_records
from spanloom.agents.retry import Retry

logger = logging.getLogger("spanloom.worker")

P = TypeVar("P", bound=Partition)
T = TypeVar("T")


class RecordsLost(Exception):
    """A record left the consumer and did not reach its stage; committing past it would lose it for good."""


class OffsetTracking:
    """Knows the next offset of every partition that the worker holds, and what is on its way to a stage.

    Args:
        log: the log that the consumer reads.
        stages: the name of the stage that reads a topic, for metrics.
        retry: asks Kafka as often as it takes.
        fail: ends the process; called with whatever reading the log raised.
    """

    def __init__(
        self, log: Log, stages: Mapping[str, str], retry: Retry, fail: Callable[[BaseException], None]
    ) -> None:
        self._log = log
        self._stages = stages
        self._retry = retry
        self._fail = fail
        self.start({})

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Begin anew, with the first offset to be read of each partition."""
        self._next = dict(positions)
        self._on_the_way: dict[Partition, deque[Any]] = {partition: deque() for partition in positions}
        self._last_check: Mapping[Partition, int] = {}
        self._ends_seen: Mapping[Partition, tuple[int, int]] = {}
        self._fetches = 0  # that were handed out since the last check

    def stop(self) -> None:
        """Hold no partition."""
        self.start({})

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of every partition."""
        return dict(self._next)

    async def in_order(self, fetched: AsyncIterator[tuple[P, Any]]) -> AsyncIterator[tuple[P, Any]]:
        """Let through those of Faust's messages from one fetch that are next in their partitions."""
        repeated: set[Partition] = set()
        behind_a_gap: set[Partition] = set()
        async for partition, message in fetched:
            held = self._next
            expected = held.get(partition)
            if expected is None or partition in behind_a_gap:
                continue
            if message.offset < expected:
                if partition not in repeated:
                    repeated.add(partition)
                    await self._or_fail(partial(self._rejoin_if_created_anew, partition, expected), None)
                continue
            if message.offset > expected and not await self._or_fail(
                partial(self._is_of_the_log, partition, expected, message.offset), False
            ):
                behind_a_gap.add(partition)
                continue
            if held is not self._next:
                continue  # revoked while the log was read
            held[partition] = message.offset + 1
            self._on_the_way[partition].append(message)
            yield partition, message
        self._fetches += 1

    def take(self, events: Iterable[Any]) -> list[SourceRecord]:
        """Return the records of Faust's events, as they reach a stage, without those from before a rebalance.

        Raises:
            RecordsLost: one that should have been delivered before is not among them.
        """
        taken = []
        for message in (event.message for event in events):
            waiting = self._on_the_way.get((message.topic, message.partition))
            if waiting and any(message is other for other in waiting):
                if waiting.popleft() is not message:
                    raise RecordsLost(
                        f"{message.topic} {message.partition}: offset {message.offset} came, but not the one before"
                    )
                taken.append(message)
        return source_records(taken)

    async def go_back_to_stalled(self) -> None:
        """Read stalled partitions again: records lie in the log that are not delivered, as two checks show."""
        for partition, offset in (await self.stalled()).items():
            await self._go_back(partition, offset, "does not come")

    async def stalled(self) -> dict[Partition, int]:
        """Return where to go on in partitions of topics of which nothing was delivered since the last check.

        While one partition of a topic moves, or its stage has not taken all that was delivered, others may just wait
        for their turn; and all do while Faust hands out what a single fetch has brought, at the pace of the slowest
        stage. The same place and end is returned once: what lies there may be no record, but the mark of a transaction.
        """
        if self._fetches < 2:
            return {}  # no fetch has begun and ended since the last check
        self._fetches = 0
        held, last, self._last_check = self._next, self._last_check, dict(self._next)
        moving = {partition[0] for partition, at in held.items() if last.get(partition) != at}
        moving |= {partition[0] for partition, waiting in self._on_the_way.items() if waiting}
        standing = {partition: at for partition, at in held.items() if partition[0] not in moving}
        if not standing:
            return {}
        ends = await self._log.ends(standing)
        if held is not self._next:
            return {}  # revoked while the log was read
        seen, self._ends_seen = (
            self._ends_seen,
            {partition: (at, ends.get(partition, 0)) for partition, at in standing.items()},
        )
        return {
            partition: at
            for partition, (at, end) in self._ends_seen.items()
            if end > at and seen.get(partition) != (at, end)
        }

    async def _rejoin_if_created_anew(self, partition: Partition, expected: int) -> None:
        """Repeated records are common; but in a topic that was created anew they are new ones."""
        held = self._next
        if not await self._log.holds(partition, expected) and held is self._next:
            logger.warning("topic %s was deleted and created anew: joining the group again", partition[0])
            self.stop()
            await self._log.rejoin()

    async def _is_of_the_log(self, partition: Partition, expected: int, delivered: int) -> bool:
        """Whether nothing lies in the log between the offset expected and the one delivered; if something does, go back
        to it."""
        held = self._next
        following = await self._log.next_offset(partition, expected)
        if following >= delivered:
            return True
        if held is self._next:
            held[partition] = following
            await self._go_back(partition, following, f"is due, and {delivered} was delivered")
        return False

    async def _or_fail(self, question: Callable[[], Awaitable[T]], revoked: T) -> T:
        """Ask the log, as often as it takes while Kafka is out of reach; `revoked` once the partitions are gone."""
        held = self._next

        async def ask() -> T:
            return await question() if held is self._next else revoked

        try:
            return await self._retry(ask)
        except Exception as error:
            self._fail(error)
            raise

    async def _go_back(self, partition: Partition, offset: int, why: str) -> None:
        metrics.GAPS.labels(self._stages[partition[0]]).inc()
        logger.warning("%s %s: offset %s %s; reading again from there", *partition, offset, why)
        await self._log.seek(partition, offset)
