"""Faust's consumer, corrected where it would leave out records or answer late.

Five things differ:

* *What is delivered.* Only the record that is next in its partition leaves the consumer: see `OffsetTracking`.
* *Where reading begins.* Around a rebalance Faust fetches records and drops them, and then seeks to the committed
  offsets. aiokafka leaves out partitions that have none: what was dropped there would be delivered only after the
  next rebalance. Here the consumer seeks in all partitions to the positions of the tracking.
* *How long the broker may hold back an answer.* Faust asks with `fetch_max_wait_ms=1500` and has no setting for it. A
  broker that answers as soon as there is something does not care; the local one looks again only after a part of that
  time, and each of the three stages would add half a second to the way of a span.
* *Who gets which partitions.* Faust has aiokafka deal them out in turn, so that nearly all move when one worker comes
  or goes. Here whoever has one keeps it: see `assignor`.
* *Whose name it is.* As a static member it gives way to another process of its name: see `static_member`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from spanloom.agents.consuming.assignor import StickyAssignor
from spanloom.agents.consuming.records import Partition
from spanloom.agents.consuming.static_member import NameTaken, yield_the_name

FETCH_WAIT = 100
"""Milliseconds a fetch may wait at the broker for a record."""


class _Thread(driver.AIOKafkaConsumerThread):
    async def on_start(self) -> None:
        """Connect; the group is joined once Faust subscribes."""
        await super().on_start()
        if name := self.app.conf.consumer_group_instance_id:
            consumer: Any = self._consumer
            app: Any = self.app
            yield_the_name(consumer._coordinator, lambda: app.fail(NameTaken(name)))

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT
        consumer._partition_assignment_strategy = [StickyAssignor()]
        return consumer


class Consumer(driver.Consumer):
    """The consumer of the worker; its app has the `offsets` to go by."""

    app: Any

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Fetch messages and deliver those that are next in their partitions."""
        async for delivered in self.app.offsets.in_order(super().getmany(timeout)):
            yield delivered

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the positions of the tracking, whenever Faust wants to go to the committed offsets."""
        positions = {TP(*partition): offset for partition, offset in self.app.offsets.positions().items()}
        await self.seek_wait(positions)
        return positions

    async def committed(self) -> dict[Partition, int | None]:
        """Return the committed offset of every assigned partition, None where there is none."""
        found = await super().seek_to_committed() if self.assignment() else {}
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        """Commit offsets. If the group was rebalanced meanwhile, nothing is committed and the records are
        redelivered."""
        await self._commit({TP(*partition): offset for partition, offset in offsets.items()})


class Transport(driver.Transport):
    """The transport of the worker."""

    Consumer = Consumer
