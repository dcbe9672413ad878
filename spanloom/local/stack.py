"""The whole of spanloom on one machine: broker, database, workers, receiver, dashboard, on 127.0.0.1 only.

Order of a start, where each step needs the one before:

1. checks: the packages are there, the ports are free and now claimed, the folder can be written, nobody else uses it;
2. the broker and the database, side by side;
3. `spanloom topics` and `spanloom migrate`;
4. the workers, the receiver and the dashboard, side by side; ready when `/ready` answers 200;
5. the line `spanloom is ready`, then what the caller wants done (`after_ready`).

The broker keeps everything in memory. When it dies, the workers are stopped (what they know about offsets
and state is about a log that is gone), and the receiver (the broker would make a topic that is written to, cut
otherwise); the broker is started again, the topics are created anew, and both start again from nothing. What the
workers need of the past they find in the database.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloom.local.broker import BrokerMissing, broker_answers, broker_command
from spanloom.local.ports import Ports, answers_http
from spanloom.local.supervisor import Backoff, Part, Supervisor, SupervisorError

# The web server of a worker: Faust's own default, one up for each further worker.
FIRST_WEB_PORT = 6066

# The probes of the receiver.
RECEIVER_WEB_PORT = 6065

# The probes of the dashboard.
DASHBOARD_WEB_PORT = 6064

# Seconds for `topics` and `migrate`; both take about one.
_SETUP_DEADLINE = 120.0

# Seconds a worker gets to stop when the broker is gone. Its last checkpoint would wait for acknowledgements
# that can't come, and what it holds belongs to a log that no longer exists.
_STOP_WITHOUT_BROKER = 2.0

# Kafka's defaults make a worker wait 30 s for the group; alone on a machine nobody is that slow (seconds).
LOCAL_SETTINGS = {
    "SPANLOOM_KAFKA__SESSION_TIMEOUT": "6",
    "SPANLOOM_KAFKA__HEARTBEAT_INTERVAL": "1",
    "SPANLOOM_KAFKA__REBALANCE_TIMEOUT": "6",
    # Tansu answers no InitProducerId.
    "SPANLOOM_KAFKA__IDEMPOTENT": "false",
    # On loopback bytes cost less than packing them.
    "SPANLOOM_CLICKHOUSE__COMPRESSION": "none",
}


@dataclass(frozen=True)
class StackOptions:
    """What can be chosen. `spanloom` is the command line that the set-up and the workers are started with."""

    data: Path
    workers: int = 1
    kafka_port: int = 9092
    clickhouse_port: int = 8123
    otlp_grpc_port: int = 4317
    otlp_http_port: int = 4318
    dashboard_port: int = 8080
    spanloom: Sequence[str] = (sys.executable, "-P", "-m", "spanloom")
    backoff: Backoff | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Where the broker answers."""
        return f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse_url(self) -> str:
        """Where the database answers."""
        return f"http://127.0.0.1:{self.clickhouse_port}"

    @property
    def dashboard_url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.dashboard_port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What every spanloom command needs in its environment to work on this stack."""
        return {
            "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "SPANLOOM_CLICKHOUSE__URL": self.clickhouse_url,
        }


class LocalStack:
    """Runs the stack until SIGINT or SIGTERM.

    `say` gets one line at a time for the terminal. `after_ready` runs once, after `spanloom is ready`,
    while everything keeps running; it may call `command`.
    """

    def __init__(
        self,
        options: StackOptions,
        say: Callable[[str], None],
        after_ready: Callable[[LocalStack], Awaitable[None]] | None = None,
    ) -> None:
        self.options = options
        self._say = say
        self._after_ready = after_ready
        self._supervisor = Supervisor(options.data, say, options.backoff)
        self._ports = Ports()
        self._on_kafka: list[Part] = []

    async def run(self) -> None:
        """Start everything, keep it running, and stop it on SIGINT or SIGTERM.

        Raises `SupervisorError`, with one sentence for the user, if it can't start or can't go on.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, stop.set)
        try:
            async with self._supervisor:
                await self._run_until(stop, self._check())
                self._say("stopping")
        finally:
            self._ports.release()
            for number in signals:
                loop.remove_signal_handler(number)

    async def command(self, name: str, *arguments: str, deadline: float = _SETUP_DEADLINE) -> None:
        """Run `spanloom ARGUMENTS…` on this stack, output to `DIR/log/NAME.log`. Raises `SupervisorError`."""
        argv = (*self.options.spanloom, *arguments)
        await self._supervisor.run_once(name, argv, self.options.environment, deadline)

    async def _run_until(self, stop: asyncio.Event, database: Part) -> None:
        assert self._supervisor.failure is not None
        starting = asyncio.create_task(self._start(database))
        stopping = asyncio.create_task(stop.wait())
        try:
            waited_for: set[asyncio.Future[Any]] = {starting, stopping, self._supervisor.failure}
            while not stopping.done():
                done, _ = await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
                if self._supervisor.failure in done:
                    raise self._supervisor.failure.result()
                if starting in done:
                    await starting  # raises what it raised
                    waited_for.discard(starting)
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)

    def _check(self) -> Part:
        """What can be known to fail before anything is started. Returns the database's part."""
        options = self.options
        if importlib.util.find_spec("chdb") is None:
            raise SupervisorError(
                "The local database (package chdb) is not installed: install the extra `spanloom[local]` on "
                "Linux or macOS (x86-64 or arm64), or use a ClickHouse server of your own."
            )
        for what, port, option in (
            ("broker", options.kafka_port, "--kafka-port"),
            ("database", options.clickhouse_port, "--clickhouse-port"),
            ("receiver (OTLP/gRPC)", options.otlp_grpc_port, "--otlp-grpc-port"),
            ("receiver (OTLP/HTTP)", options.otlp_http_port, "--otlp-http-port"),
            ("dashboard", options.dashboard_port, "--dashboard-port"),
        ):
            if not self._ports.claim(port):
                raise SupervisorError(
                    f"Port {port}, meant for the {what}, is taken; "
                    f"stop what listens there or choose another one with {option}."
                )
        folder = options.data / "clickhouse"
        argv = (sys.executable, "-P", "-m", "spanloom.local.clickhouse", "--data", str(folder))
        return Part(
            "clickhouse",
            (*argv, "--port", str(options.clickhouse_port)),
            functools.partial(answers_http, f"{options.clickhouse_url}/ping"),
            stop_deadline=20.0,  # running statements may end
        )

    def _broker(self) -> Part:
        try:
            argv = broker_command(self.options.kafka_port)
        except BrokerMissing as error:
            raise SupervisorError(str(error)) from None
        return Part(
            "broker",
            argv,
            functools.partial(broker_answers, self.options.bootstrap_servers),
            stop_deadline=5.0,
            before_restart=self._broker_died,
            after_restart=self._broker_is_back,
        )

    def _receiver(self) -> Part:
        options = self.options
        web_port = self._ports.choose(RECEIVER_WEB_PORT)
        own = {
            "SPANLOOM_RECEIVER__GRPC_PORT": str(options.otlp_grpc_port),
            "SPANLOOM_RECEIVER__HTTP_PORT": str(options.otlp_http_port),
            "SPANLOOM_RECEIVER__WEB_PORT": str(web_port),
        }
        return Part(
            "receiver",
            (*options.spanloom, "receiver"),
            functools.partial(answers_http, f"http://127.0.0.1:{web_port}/ready"),
            env={**options.environment, **LOCAL_SETTINGS, **own},
            stop_deadline=15.0,  # requests under way are answered
        )

    def _dashboard(self) -> Part:
        options = self.options
        web_port = self._ports.choose(DASHBOARD_WEB_PORT)
        own = {
            "SPANLOOM_DASHBOARD__PORT": str(options.dashboard_port),
            "SPANLOOM_DASHBOARD__WEB_PORT": str(web_port),
            "SPANLOOM_DASHBOARD__OTLP_URL": f"http://127.0.0.1:{options.otlp_http_port}",
        }
        return Part(
            "dashboard",
            (*options.spanloom, "dashboard"),
            functools.partial(answers_http, f"http://127.0.0.1:{web_port}/ready"),
            env={**options.environment, **own},
            stop_deadline=15.0,  # requests under way are answered
        )

    def _worker(self, index: int) -> Part:
        name = f"worker-{index}"
        web_port = self._ports.choose(FIRST_WEB_PORT + index)
        own = {"SPANLOOM_WORKER__WEB_PORT": str(web_port), "SPANLOOM_WORKER__NAME": name}
        return Part(
            name,
            (*self.options.spanloom, "worker"),
            functools.partial(answers_http, f"http://127.0.0.1:{web_port}/ready"),
            env={**self.options.environment, **LOCAL_SETTINGS, **own},
            stop_deadline=30.0,  # a last checkpoint, and the time Faust takes
        )

    async def _start(self, database: Part) -> None:
        await _all(self._supervisor.start(self._broker()), self._supervisor.start(database))
        await _all(self.command("topics", "topics"), self.command("migrate", "migrate"))
        workers = [self._worker(index) for index in range(self.options.workers)]
        self._on_kafka = [*workers, self._receiver()]
        await _all(self._start_on_kafka(), self._supervisor.start(self._dashboard()))
        self._say("spanloom is ready")
        if self._after_ready is not None:
            await self._after_ready(self)

    async def _start_on_kafka(self) -> None:
        await _all(*(self._supervisor.start(part) for part in self._on_kafka))

    async def _broker_died(self) -> None:
        if self._on_kafka:
            self._say("the broker's memory is lost: stopping the workers and the receiver until it is back")
        stops = (self._supervisor.stop(part.name, _STOP_WITHOUT_BROKER) for part in self._on_kafka)
        await _all(*stops)

    async def _broker_is_back(self) -> None:
        await self.command("topics", "topics")
        await self._start_on_kafka()
        self._say("spanloom is ready again")


async def _all(*steps: Awaitable[None]) -> None:
    """Wait for all, then raise the first error: nothing is left half-way behind the caller's back."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
