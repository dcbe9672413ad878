"""Works on requests to forget: one at a time, in the order in which they were made.

For each, in this order:

1. One that the audit says is done or has failed is left out: it was read again after a kill between 3 and 4, and
   what came since was not meant by it.
2. `Forgetting` runs, which may be broken off anywhere and run again. Outages, and workers that stand still, are waited
   out.
3. The audit says that it is done; or that it has failed, where ClickHouse refuses.
4. The offset is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from spanloom.forgetting.audit import Entry, is_settled, note
from spanloom.forgetting.erase import WorkersStandStill
from spanloom.forgetting.forget import Forgetting, Step
from spanloom.forgetting.requests import NoRequest, Request, decode
from spanloom.kafka.connection import connection
from spanloom.kafka.outages import OUTAGES
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import FORGET_REQUESTS, partitions_of
from spanloom.retry import retry, warn_once
from spanloom.warehouse.client import SchemaError, Unavailable, Warehouse, WarehouseError
from spanloom.warehouse.schema.known import check_schema

logger = logging.getLogger("spanloom.forgetting")

_LOOK = 5.0
"""Seconds between two looks whether Kafka and ClickHouse answer, and for an answer."""

CONDITIONS = ("Kafka answers", "the topic is there", "ClickHouse answers")
"""What must hold for it to be ready."""

Conditions = Mapping[str, bool]

T = TypeVar("T")


class Work:
    """Works on requests for ever.

    It reads as a consumer that is no member of a group, and commits for the group of its own: a request may take longer
    than a member may be silent. Two that run at once do the same work twice, and harm nothing.

    Args:
        kafka: where Kafka is.
        warehouse: ClickHouse, with the right to delete.
        refuse: for how many seconds spans of forgotten traces are refused.
        patience: seconds without any progress of the workers after which it begins once more.
    """

    def __init__(
        self, kafka: KafkaSettings, warehouse: Warehouse, refuse: int, *, patience: float = 600
    ) -> None:
        self._kafka = kafka
        self._warehouse = warehouse
        self._refuse = refuse
        self._patience = patience
        self.conditions: Conditions = dict.fromkeys(CONDITIONS, False)

    async def run(self) -> None:
        """Work on requests as they come.

        Raises:
            TopicError, SchemaError: topics or tables are not as they should be.
            KafkaError, WarehouseError: Kafka or ClickHouse refuses for good.
        """
        partitions = await self._waiting(lambda: partitions_of(self._kafka, FORGET_REQUESTS))
        await self._waiting(lambda: check_schema(self._warehouse))
        consumer = await self._waiting(self._started)
        watching = asyncio.create_task(self._watch(consumer))
        try:
            consumer.assign([TopicPartition(FORGET_REQUESTS, number) for number in range(partitions)])
            logger.info("waiting for requests to forget")
            while True:
                await self._work_on(consumer, await consumer.getone())
        finally:
            watching.cancel()
            await consumer.stop()

    async def _started(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **connection(self._kafka),
            client_id="spanloom-forgetter",
            group_id=f"{self._kafka.group_id}-forgetter",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    async def _work_on(self, consumer: AIOKafkaConsumer, record: Any) -> None:
        try:
            request = decode(record.value)
        except NoRequest as error:
            logger.error("the record at offset %d is no request, and left out: %s", record.offset, error)
        else:
            await self._waiting(lambda: self._forget(request))
        place = TopicPartition(record.topic, record.partition)
        await self._waiting(lambda: consumer.commit({place: record.offset + 1}))

    async def _forget(self, request: Request) -> None:
        if await is_settled(self._warehouse, request.id):
            return
        forgetting = Forgetting(
            self._kafka, self._warehouse, who=request.who, show=_logged(), patience=self._patience
        )
        try:
            await forgetting.run(request.selection, self._refuse, request.id)
        except SchemaError:
            raise
        except WarehouseError as error:
            logger.error("request %s can't be done: %s", request.id, error)
            await note(self._warehouse, Entry(request.id, request.who, request.selection), "failed")

    async def _waiting(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await retry(
            operation, (Unavailable, WorkersStandStill, *OUTAGES), warn_once(logger, self._reason)
        )

    def _reason(self, failure: Exception) -> str:
        if isinstance(failure, Unavailable):
            return f"{failure}; waiting for it"
        if isinstance(failure, WorkersStandStill):
            return "workers do not come further: start one; waiting for it"
        return f"Kafka at {self._kafka.bootstrap_servers} is not ready ({type(failure).__name__}); waiting for it"

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            topics, rows = await asyncio.gather(_answer(consumer.topics()), _answer(self._pinged()))
            hold = (topics is not None, FORGET_REQUESTS in (topics or ()), rows is not None)
            self.conditions = dict(zip(CONDITIONS, hold, strict=True))
            await asyncio.sleep(_LOOK)

    async def _pinged(self) -> bool:
        await self._warehouse.ping()
        return True


async def _answer(question: Coroutine[Any, Any, T]) -> T | None:
    """Return an answer; None where none comes in time."""
    with contextlib.suppress(TimeoutError, KafkaError, OSError, Unavailable, WarehouseError):
        return await asyncio.wait_for(question, _LOOK)
    return None


def _logged() -> Callable[[Step], None]:
    """Return what logs each step once."""
    last = ""

    def show(step: Step) -> None:
        nonlocal last
        if step.doing != last:
            last = step.doing
            logger.info("%s: %d traces done", step.doing, step.traces)

    return show
