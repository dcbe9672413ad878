"""`spanloom receiver`: the receiver, with its connection to Kafka and its probes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys

from spanloom.kafka.settings import KafkaSettings
from spanloom.probes import Probes
from spanloom.receiver.access import Access
from spanloom.receiver.append import Log
from spanloom.receiver.export import Export
from spanloom.receiver.grpc_server import GrpcServer
from spanloom.receiver.http_server import HttpServer
from spanloom.receiver.rate_limit import RateLimit
from spanloom.receiver.settings import ReceiverSettings
from spanloom.receiver.sharing.memory import give_back
from spanloom.receiver.sharing.room import Room

logger = logging.getLogger("spanloom.receiver")

_LOOK = 0.5  # seconds between two looks whether Kafka answers, for gRPC's health service


async def run(kafka: KafkaSettings, settings: ReceiverSettings) -> None:
    """Run a receiver until SIGTERM or SIGINT; requests under way are answered first.

    Raises:
        spanloom.receiver.keys.KeysError: the keys can't be read.
        OSError: a port is taken.
    """
    # A request makes few objects that live on and none in circles: collecting every 700 of them is a tenth of the work.
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)

    # What is unpacked or split in a thread hands over to the event loop after half a millisecond instead of five.
    sys.setswitchinterval(0.0005)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    if takes_keys_without_tls(settings):
        logger.warning(
            "API keys come unencrypted to %s: set SPANLOOM_RECEIVER__TLS_CERTFILE and __TLS_KEYFILE, unless a"
            " proxy before it has TLS or this machine alone reaches it",
            settings.host,
        )
    access = Access(settings)
    log = Log(kafka, ack_timeout=settings.ack_timeout)
    room = Room(settings.max_requests, settings.max_bytes, lambda: access.shared)
    export = Export(access, RateLimit(settings.rate_bytes), log, room)
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
        health = asyncio.create_task(_report_health(grpc, log))
        memory = asyncio.create_task(give_back(room))
        stack.push_async_callback(_ended, memory)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({appending, health, memory, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        health.cancel()
        for task in (appending, health, memory):
            if task.done():
                task.result()  # they never end but by an error
        logger.info("stopping")


def takes_keys_without_tls(settings: ReceiverSettings) -> bool:
    """Whether API keys may cross a network that anybody reads."""
    return not settings.is_open and not settings.tls_certfile and not settings.is_loopback


async def _report_health(grpc: GrpcServer, log: Log) -> None:
    serving: bool | None = None
    while True:
        if log.answers != serving:
            serving = log.answers
            await grpc.set_serving(serving)
        await asyncio.sleep(_LOOK)


async def _stopped(http: HttpServer, grpc: GrpcServer) -> None:
    # Side by side: while one of them lets its last requests end, the other must not take new ones.
    await asyncio.gather(http.stop(), grpc.stop())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
