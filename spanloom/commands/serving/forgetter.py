"""`spanloom forgetter`: works on requests to forget, and answers probes."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from spanloom.forgetting.forget import patient
from spanloom.forgetting.settings import ForgetterSettings
from spanloom.forgetting.work import Work
from spanloom.kafka.settings import KafkaSettings
from spanloom.probes import Probes
from spanloom.warehouse.client import connect
from spanloom.warehouse.settings import ClickHouseSettings

EXIT_FAILED = 70
"""The exit code after an unexpected error, as of a worker."""


class PortTaken(Exception):
    """The probes can't listen; the message says why."""


async def run(
    kafka: KafkaSettings, clickhouse: ClickHouseSettings, settings: ForgetterSettings, refuse: int
) -> None:
    """Work on requests until SIGTERM or SIGINT; one that is broken off is done by the next run.

    Args:
        refuse: for how many seconds spans of forgotten traces are refused.

    Raises:
        PortTaken: the port of the probes is taken.
        TopicError, WarehouseError: topics or tables are not as they should be.
        KafkaError: Kafka refuses for good.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    warehouse = connect(patient(clickhouse))
    work = Work(kafka, warehouse, refuse)
    probes = Probes(settings.web_host, settings.web_port, lambda: work.conditions)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(warehouse.close)
        try:
            await probes.start()
        except OSError as error:
            raise PortTaken(error.strerror or str(error)) from None
        stack.push_async_callback(probes.stop)
        working, stopping = asyncio.create_task(work.run()), asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            working.result()  # it never ends but by an error
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
