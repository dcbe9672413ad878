"""Faust's Kafka transport, where it would lose the way in the log or answer late.

Three things differ:

* *How long the broker may hold back an answer.* Faust asks with `fetch_max_wait_ms=1500` and has no setting for it. A
  broker that answers as soon as there is something does not care; the local one looks again only after a part of that
  time, and each of the three stages would add half a second to the way of a span.
* *Where to begin without a committed offset.* Around a rebalance Faust fetches records and drops them, and then seeks
  to the committed offsets. aiokafka leaves out partitions that have none: what was dropped there would come only after
  the next rebalance. They are sought to their beginning.
* *What came already.* Faust notes the newest offset it has delivered and drops what is older; but it notes it after
  delivering, so that a seek in between is undone and what it went back for is dropped. It notes nothing here:
  `agents/consuming/continuity.py` knows what came already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

FETCH_WAIT = 100
"""Milliseconds a fetch may wait at the broker for a record."""


async def seek_to_what_is_due(
    consumer: AIOKafkaConsumer, changelogs: Collection[str]
) -> Mapping[TP, int | None]:
    """Seek every assigned partition to its committed offset, and to its beginning where there is none.

    Args:
        consumer: with partitions assigned.
        changelogs: topics that are left alone: whoever reads them seeks them.

    Returns:
        The committed offsets, None where there is none.
    """
    committed: Mapping[TP, int | None] = await consumer.seek_to_committed()
    fresh = [tp for tp, offset in committed.items() if not offset and tp.topic not in changelogs]
    if fresh:
        await consumer.seek_to_beginning(*fresh)
    return committed


class _ForgetsOffsets(dict[TP, int | None]):
    """What Faust notes as delivered: nothing."""

    def __getitem__(self, _: TP) -> None:
        return None


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT
        return consumer

    async def seek_to_committed(self) -> Any:
        """Seek to where reading begins."""
        changelogs = self.app.tables.changelog_topics
        return await self.call_thread(seek_to_what_is_due, self._ensure_consumer(), changelogs)


class _Consumer(driver.Consumer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _ForgetsOffsets()

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """The transport of the worker."""

    Consumer = _Consumer
