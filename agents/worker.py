"""Runs one worker: waits for what it needs, runs the app, and ends it in order or at once."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Awaitable

from aiokafka.errors import KafkaError

from spanloom.agents import metrics
from spanloom.agents.app import WorkerApp, fail
from spanloom.agents.retry import Retry
from spanloom.agents.settings import WorkerSettings
from spanloom.agents.watches import watch_kafka, watch_stalled, watch_topics
from spanloom.kafka import topics
from spanloom.kafka.outages import OUTAGES
from spanloom.kafka.settings import KafkaSettings
from spanloom.probes import Probes
from spanloom.retry import retry, warn_once
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.schema.known import check_schema

logger = logging.getLogger("spanloom.worker")

_RETRY = 2.0  # seconds between two attempts to reach Kafka at the start, at most
_STOP_DEADLINE = 15.0  # seconds Faust has to stop, on top of the deadline of the last checkpoint
_WATCH = 1.0  # seconds between two checks of the progress of recovery


async def run(
    kafka: KafkaSettings,
    worker: WorkerSettings,
    warehouse: Warehouse,
    *,
    limits: Limits,
    prices: Prices,
    vocabulary: Vocabulary,
) -> None:
    """Run a worker until SIGTERM or SIGINT; then it makes a last checkpoint and this returns.

    Args:
        limits: how much of a span is kept.
        prices: what tokens cost.
        vocabulary: what the names of attributes mean.

    Raises:
        topics.TopicError, warehouse.client.WarehouseError: topics or schema are not as they should be.
        OSError: the port of the probes is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    # State is millions of small tuples that hold no cycles; searching them for cycles over and over costs a tenth of
    # all CPU time. What is imported by now stays for good.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)

    app = WorkerApp(kafka, worker, warehouse, limits=limits, prices=prices, vocabulary=vocabulary)
    probes = Probes(worker.web_host, worker.web_port, lambda: _conditions(app))
    await probes.start()
    try:
        try:
            if not await _unless_stopped(_prepare(kafka, warehouse, app.retry), stop):
                return
        except KafkaError as error:
            fail(error)
        await _serve(app, worker, stop)
    finally:
        await probes.stop()


async def _prepare(kafka: KafkaSettings, warehouse: Warehouse, clickhouse: Retry) -> None:
    """Wait until Kafka and ClickHouse answer, and make sure that both are as this version needs them."""
    await retry(
        lambda: topics.check(kafka),
        OUTAGES,
        warn_once(
            logger,
            lambda error: (
                f"Kafka at {kafka.bootstrap_servers} can't be reached ({type(error).__name__}), waiting for it"
            ),
        ),
        longest=_RETRY,
    )
    await clickhouse(lambda: check_schema(warehouse))


async def _serve(app: WorkerApp, worker: WorkerSettings, stop: asyncio.Event) -> None:
    app.in_worker = True
    watches = {
        asyncio.create_task(watch)
        for watch in (
            _watch_recovery(app, worker.recovery_timeout),
            watch_kafka(app),
            watch_stalled(app),
            watch_topics(app),
        )
    }
    crashed = asyncio.create_task(app._crashed.wait())
    stopping = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(app.start())
    try:
        # start() returns once the app runs, and raises where it could not.
        await asyncio.wait({starting, crashed, stopping, *watches}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        done, _ = await asyncio.wait({crashed, stopping, *watches}, return_when=asyncio.FIRST_COMPLETED)
        for watch in watches & done:
            watch.result()  # they never end but by an error
        if app.crashed:
            raise app.crash_reason or RuntimeError("Faust has crashed")
        logger.info("stopping")
        await asyncio.wait_for(app.stop(), worker.checkpoint_deadline + _STOP_DEADLINE)
    except Exception as error:
        fail(error)
    finally:
        for task in (*watches, crashed, stopping, starting):
            task.cancel()
    logger.info("stopped")


async def _watch_recovery(app: WorkerApp, timeout: float) -> None:
    """End the process where a recovery makes no progress though Kafka answers."""
    last: tuple[int, int] | None = None
    since = time.monotonic()
    while True:
        await asyncio.sleep(_WATCH)
        progress = (app.assignment.records_restored, app.consumer_generation_id)
        kafka_is_there = app.kafka_answers and app.topic_watch.all_there
        if not app.rebalancing or not kafka_is_there or progress != last:
            last, since = progress, time.monotonic()
        elif time.monotonic() - since > timeout:
            fail(TimeoutError(f"recovery has made no progress for {timeout:.0f} s"))
        metrics.OPEN_KEYS.labels("traces").set(sum(map(len, app.traces_state.states().values())))
        metrics.OPEN_KEYS.labels("sessions").set(sum(map(len, app.sessions_state.states().values())))


def _conditions(app: WorkerApp) -> dict[str, bool]:
    return {
        "Kafka answers": app.kafka_answers and not app.kafka_retry.is_waiting,
        "topics are there": app.topic_watch.all_there,
        "every partition has a worker": app.topic_watch.all_read,
        "partitions assigned and recovered": app.batches.accepted and not app.rebalancing,
        "ClickHouse answers": not app.retry.is_waiting,
    }


async def _unless_stopped(work: Awaitable[None], stop: asyncio.Event) -> bool:
    """Await `work` and return True; False if the worker was asked to stop before that was done."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        working.result()
        return True
    working.cancel()
    return False
