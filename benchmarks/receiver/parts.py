"""A broker and a receiver for the benchmarks of the receiver, each a process of its own on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parts import BenchmarkError, Process, answers
from spanloom.local.broker import broker_answers, broker_command
from spanloom.local.ports import free_port
from spanloom.local.stack import LOCAL_SETTINGS
from tests.fixtures_kafka import KafkaServer


@dataclass(frozen=True)
class Receiver:
    """A receiver that is ready."""

    process: Process
    http_port: int
    grpc_port: int

    def port(self, transport: str) -> int:
        """The port of a transport."""
        return self.grpc_port if transport == "grpc" else self.http_port


@dataclass(frozen=True)
class Broker:
    """A broker with spanloom's topics."""

    folder: Path
    bootstrap_servers: str
    pid: int
    settings: dict[str, str]

    @contextlib.contextmanager
    def receiver(self, **settings: object) -> Iterator[Receiver]:
        """Run a receiver; settings without their prefix."""
        http, grpc, web = free_port(), free_port(), free_port()
        ports = {"http_port": http, "grpc_port": grpc, "web_port": web}
        chosen = {
            f"SPANLOOM_RECEIVER__{name.upper()}": str(value) for name, value in {**ports, **settings}.items()
        }
        process = Process(
            "receiver",
            (sys.executable, "-m", "spanloom", "receiver"),
            self.folder,
            {**self.environment, **chosen},
        )
        try:
            process.wait_until(lambda: answers(f"http://127.0.0.1:{web}/ready"), "the receiver is ready")
            yield Receiver(process, http, grpc)
        finally:
            process.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What a spanloom command needs to work with it."""
        return {"SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers, **self.settings}


@contextlib.contextmanager
def kafka(folder: Path, kind: str) -> Iterator[Broker]:
    """Run a broker with spanloom's topics.

    Args:
        folder: for its data and logs.
        kind: `local`, or `kafka` for Apache Kafka.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as parts:
        if kind == "kafka":
            server = KafkaServer(folder / "kafka")
            server.start()
            parts.callback(server.kill)
            broker = Broker(folder, server.bootstrap, server.pid, {})
        else:
            port = free_port()
            process = Process("broker", broker_command(port), folder)
            parts.callback(process.stop)
            servers = f"127.0.0.1:{port}"
            process.wait_until(lambda: asyncio.run(broker_answers(servers)), "an answer of the broker")
            broker = Broker(folder, servers, process.pid, LOCAL_SETTINGS)
        topics = Process("topics", (sys.executable, "-m", "spanloom", "topics"), folder, broker.environment)
        try:
            code = topics._child.wait(60)
        except subprocess.TimeoutExpired:
            code = 1
        if code:
            raise BenchmarkError(f"the topics could not be made; see {topics.log}")
        yield broker
