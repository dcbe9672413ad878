"""Faust's Kafka transport with one value changed: how long the broker may hold back an answer.

Faust asks with `fetch_max_wait_ms=1500` and has no setting for it. A broker that answers as soon as there is
something does not care; the local one looks again only after a part of that time, and each of the three stages
would add half a second to the way of a span.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver

FETCH_WAIT = 100
"""Milliseconds a fetch may wait at the broker for a record."""


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """The transport of the worker."""

    Consumer = _Consumer
