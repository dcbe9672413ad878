"""Workers, Apache Kafka and a database, each a process of its own."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.parts import Installation, Process, answers, database, set_up
from benchmarks.produce import PARTITIONS
from spanloom.local.ports import free_port
from tests.fixtures_kafka import KafkaServer


class Worker:
    """One of the workers, through all its restarts; `static` gives it a group instance ID."""

    def __init__(self, stack: Installation, number: int, static: bool = False) -> None:
        self.name = f"worker-{number}"
        port = free_port()
        self._stack = stack
        self._url = f"http://127.0.0.1:{port}/ready"
        self._env = {
            **stack.environment,
            "SPANLOOM_WORKER__NAME": self.name,
            "SPANLOOM_WORKER__WEB_PORT": str(port),
            **({"SPANLOOM_WORKER__GROUP_INSTANCE_ID": self.name} if static else {}),
        }
        self.process = self.started()

    def started(self) -> Process:
        """Start it."""
        return Process(self.name, (sys.executable, "-m", "spanloom", "worker"), self._stack.folder, self._env)

    def wait(self) -> None:
        """Wait until it is ready."""
        self.process.wait_until(lambda: answers(self._url), f"{self.name} is ready")

    def restart(self) -> tuple[float, float, float]:
        """Restart it; returns the seconds until it had ended, until it was ready again, and of CPU for the start."""
        began = time.monotonic()
        self.process.stop()
        ended = time.monotonic()
        self.process = self.started()
        self.wait()
        return ended - began, time.monotonic() - began, self.process.cpu()


@contextlib.contextmanager
def kafka_stack(folder: Path, partitions: int = PARTITIONS) -> Iterator[tuple[Installation, KafkaServer]]:
    """Start Apache Kafka and the database, create topics of so many partitions and tables; stop both at the end."""
    settings = {"SPANLOOM_CLICKHOUSE__COMPRESSION": "none", "SPANLOOM_KAFKA__PARTITIONS": str(partitions)}
    server = KafkaServer(folder / "kafka")
    server.start()
    try:
        with database(folder) as (process, url):
            stack = Installation(folder, process, server.bootstrap, url, settings)
            set_up(stack)
            yield stack, server
    finally:
        server.kill()
