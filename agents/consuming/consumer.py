"""Faust's consumer, corrected where it would leave out records, answer late, or give up.

Nine things differ:

* *What is delivered.* Only the record that is next in its partition leaves the consumer: see `OffsetTracking`.
* *What a delivery costs.* Faust starts four tasks for each message, so that one which waits for a full buffer can be
  left where the flow is suspended. Where the buffer has room nothing waits, and the message is put there at once.
* *Where reading begins.* Around a rebalance Faust fetches records and drops them, and then seeks to the committed
  offsets. aiokafka leaves out partitions that have none: what was dropped there would be delivered only after the
  next rebalance. Here the consumer seeks in all partitions to the positions of the tracking.
* *What is committed.* With an offset goes the ID of its topic: see `Committed`.
* *What happens while Kafka is away at the start.* It waits; Faust would crash.
* *How long the broker may hold back an answer.* Faust asks with `fetch_max_wait_ms=1500` and has no setting for it. A
  broker that answers as soon as there is something does not care; the local one looks again only after a part of that
  time, and each of the three stages would add half a second to the way of a span.
* *How long the broker may be silent.* What is asked over the connection that fetches waits behind a fetch. Until
  aiokafka gives up one that gets no answer, 90 s go by without a word in the log: so long may a rebalance take. The
  ends of the log are asked for every few seconds and must come soon; where they don't, the worker connects anew.
* *Who gets which partitions.* Faust has aiokafka deal them out in turn, so that nearly all move when one worker comes
  or goes. Here whoever has one keeps it: see `assignor`.
* *Whose name it is.* As a static member it gives way to another process of its name: see `static_member`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import CommitFailedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from spanloom.agents.consuming.committed import Committed, TopicIds
from spanloom.agents.consuming.membership.assignor import StickyAssignor
from spanloom.agents.consuming.membership.static_member import NameTaken, yield_the_name
from spanloom.agents.consuming.records import Partition
from spanloom.agents.retry import kafka_retry

FETCH_WAIT = 100
"""Milliseconds a fetch may wait at the broker for a record."""

_WITHOUT_A_BREAK = 100
"""Messages that are delivered before others get their turn in the event loop, as in Faust."""

COMMIT_DEADLINE = 5.0
"""Seconds that one attempt to commit may take."""

ENDS_DEADLINE = 5.0
"""Seconds in which the ends of the log must come."""

_UNANSWERED = 2
"""As many questions in a row without an answer show that the connection is dead: a single one may wait behind a fetch
that brings much over a slow line."""


class _Thread(driver.AIOKafkaConsumerThread):
    """Everything here runs in the consumer's thread, but `committed`, `commit_with` and `rejoin`."""

    _unanswered = 0  # questions about ends, in a row

    async def on_start(self) -> None:
        """Connect, as soon as Kafka answers; the group is joined once Faust subscribes."""
        await kafka_retry()(self._try_to_start)

    async def _try_to_start(self) -> None:
        if self.should_stop:
            return
        try:
            await super().on_start()
        except BaseException:
            await self._ensure_consumer().stop()
            raise
        if name := self.app.conf.consumer_group_instance_id:
            app: Any = self.app
            yield_the_name(self._ensure_consumer()._coordinator, lambda: app.fail(NameTaken(name)))

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT
        consumer._partition_assignment_strategy = [StickyAssignor()]
        return consumer

    async def committed(self) -> dict[Partition, Committed | None]:
        found: dict[Partition, Committed | None] = await self.call_thread(self._committed)
        return found

    async def _committed(self) -> dict[Partition, Committed | None]:
        consumer = self._ensure_consumer()
        partitions = list(consumer.assignment())
        found = await consumer._coordinator.fetch_committed_offsets(partitions) if partitions else {}
        return {
            (tp.topic, tp.partition): Committed.of(*found[tp])
            if tp in found and found[tp].offset >= 0
            else None
            for tp in partitions
        }

    async def commit_with(self, offsets: Mapping[Partition, tuple[int, str]]) -> None:
        await self.call_thread(self._commit_with, offsets)

    async def _commit_with(self, offsets: Mapping[Partition, tuple[int, str]]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        ours = {
            tp: committed
            for tp, committed in ((TopicPartition(*one), value) for one, value in offsets.items())
            if tp in assigned
        }
        if not ours:
            return
        try:
            # aiokafka goes on for ever while a topic is missing, also when the batch that asked has been dropped.
            async with asyncio.timeout(COMMIT_DEADLINE):
                await consumer.commit(ours)
        except CommitFailedError:
            # The group has moved on, and the records are redelivered.
            self.log.info("an offset was not committed: the group was rebalanced meanwhile")

    async def _highwaters(self, partitions: list[TP]) -> Mapping[TP, int]:
        try:
            async with asyncio.timeout(ENDS_DEADLINE):
                found = await super()._highwaters(partitions)
        except TimeoutError:
            self._unanswered += 1
            if self._unanswered >= _UNANSWERED:
                self._hang_up()
            raise
        self._unanswered = 0
        return found

    def _hang_up(self) -> None:
        """Close the connections that fetch; the next fetch opens a new one. That of the group is another one."""
        self._unanswered = 0
        connections = self._ensure_consumer()._client._conns
        for connection in [
            one for (_, group), one in connections.items() if group == ConnectionGroup.DEFAULT
        ]:
            self.log.warning("Kafka does not answer on the connection that fetches: connecting anew")
            connection.close()

    async def rejoin(self) -> None:
        await self.call_thread(self._rejoin)

    async def _rejoin(self) -> None:
        self._ensure_consumer()._coordinator.request_rejoin()


class Consumer(driver.Consumer):
    """The consumer of the worker; its app has the `offsets` to go by."""

    app: Any
    _thread: _Thread

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Fetch messages, deliver those that are next in their partitions, yield those for which there is no room."""
        count = 0
        async for partition, message in self.app.offsets.in_order(super().getmany(timeout)):
            if not self._has_room(partition.topic):
                yield partition, message
                continue
            await self.callback(message)
            count += 1
            if count % _WITHOUT_A_BREAK == 0:
                await asyncio.sleep(0)

    def _has_room(self, topic: str) -> bool:
        """Whether the next message of a topic can be delivered without waiting."""
        channels = [channel for channel in self.app.topics if topic in channel.topics]
        return self.app.flow_control.is_active() and not any(channel.queue.full() for channel in channels)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the positions of the tracking, whenever Faust wants to go to the committed offsets."""
        positions = {TP(*partition): offset for partition, offset in self.app.offsets.positions().items()}
        await self.seek_wait(positions)
        return positions

    async def committed(self) -> dict[Partition, Committed | None]:
        """Return what is committed for every assigned partition, None where nothing is."""
        return await self._thread.committed()

    async def acknowledge(self, offsets: Mapping[Partition, int], ids: Mapping[str, TopicIds]) -> None:
        """Commit offsets. If the group was rebalanced meanwhile, nothing is committed and the records are
        redelivered.

        Args:
            ids: by topic, as they were when reading began.

        Raises:
            TimeoutError: Kafka does not answer; try again.
            KafkaError: Kafka has refused that for good.
        """
        await self._thread.commit_with(
            {partition: (offset, ids[partition[0]].metadata()) for partition, offset in offsets.items()}
        )

    async def rejoin(self) -> None:
        """Ask for a rebalance: every worker gives its partitions back and takes partitions over, this one without any
        state that it has."""
        self.app.assignment.keep_nothing()
        await self._thread.rejoin()


class Transport(driver.Transport):
    """The transport of the worker."""

    Consumer = Consumer
