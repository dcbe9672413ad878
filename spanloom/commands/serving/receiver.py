"""`spanloom receiver`: the receiver, with Kafka behind it and probes beside it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal

from spanloom.kafka import topics
from spanloom.kafka.producer import started_producer
from spanloom.kafka.settings import KafkaSettings
from spanloom.probes import Probes
from spanloom.receiver.access import Access
from spanloom.receiver.append import Connection, Log, NotReady
from spanloom.receiver.export import Export
from spanloom.receiver.grpc_server import GrpcServer
from spanloom.receiver.http_server import HttpServer
from spanloom.receiver.rate import Rates
from spanloom.receiver.settings import ReceiverSettings

logger = logging.getLogger("spanloom.receiver")

_LOOK = 0.5  # seconds between two looks whether Kafka answers, for gRPC's health service


async def run(kafka: KafkaSettings, settings: ReceiverSettings) -> None:
    """Run a receiver until SIGTERM or SIGINT; requests under way are answered first.

    Raises:
        receiver.keys.KeysError: the keys can't be read.
        OSError: a port is taken.
    """
    # A request makes few objects that live on and none in circles: collecting every 700 of them is a tenth of the work.
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    access = Access(settings)
    log = Log(
        kafka.source_topic,
        lambda: _connect(kafka),
        max_bytes=settings.max_bytes,
        ack_timeout=settings.ack_timeout,
    )
    export = Export(access, Rates(settings.rate_bytes), log, settings.max_requests)
    http, grpc = HttpServer(settings, export), GrpcServer(settings, export)
    probes = Probes(settings.web_host, settings.web_port, lambda: {"Kafka answers": log.answers})
    async with contextlib.AsyncExitStack() as stack:
        appending = asyncio.create_task(log.run())
        stack.push_async_callback(_ended, appending)
        await probes.start()
        stack.push_async_callback(probes.stop)
        stack.push_async_callback(_stopped, http, grpc)
        for server in (http, grpc):
            await server.start()
        watches = {asyncio.create_task(watch) for watch in (access.watch(), _tell_health(grpc, log))}
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({appending, stopping, *watches}, return_when=asyncio.FIRST_COMPLETED)
        for task in (*watches, stopping):
            task.cancel()
        for task in done - {stopping}:
            task.result()  # they never end but by an error
        logger.info("stopping")


async def _connect(kafka: KafkaSettings) -> Connection:
    try:
        largest = await topics.largest_message(kafka)
    except topics.TopicError as error:
        raise NotReady(str(error)) from None
    producer = await started_producer(
        kafka,
        client_id="spanloom-receiver",
        linger_ms=5,
        max_batch_size=min(largest, 1 << 20),
        max_request_size=largest,
    )
    return Connection(producer, largest)


async def _tell_health(grpc: GrpcServer, log: Log) -> None:
    told: bool | None = None
    while True:
        if log.answers != told:
            told = log.answers
            await grpc.set_serving(told)
        await asyncio.sleep(_LOOK)


async def _stopped(http: HttpServer, grpc: GrpcServer) -> None:
    # Side by side: while one of them lets its last requests end, the other must not take new ones.
    await asyncio.gather(http.stop(), grpc.stop())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
