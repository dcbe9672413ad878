"""The servers and workers of a benchmark: each a process of its own on a free port, with what it has used."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloom.local.broker import broker_answers, broker_command
from spanloom.local.ports import free_port
from spanloom.local.stack import LOCAL_SETTINGS

_DEADLINE = 60.0  # seconds until a part answers, or has ended
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """A part did not do what the benchmark needs; the message says which and where its log is."""


class Process:
    """A part; started when made, its output in `folder`/NAME.log."""

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                argv, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
            )

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._child.pid

    def cpu(self) -> float:
        """The CPU time of all its threads so far, user and system, in seconds (to 10 ms)."""
        self.check()
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss(self) -> int:
        """The memory it holds, bytes."""
        return self._memory("VmRSS:")

    def peak_rss(self) -> int:
        """The most memory it has held at once, bytes."""
        return self._memory("VmHWM:")

    def _memory(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
        return 0

    def check(self) -> None:
        """Raise `BenchmarkError` if it has ended."""
        if self._child.poll() is not None:
            raise BenchmarkError(f"{self.name} ended with {self._child.returncode}; see {self.log}")

    def wait_until(self, condition: Callable[[], bool], what: str, deadline: float = _DEADLINE) -> None:
        """Ask every 20 ms until `condition` holds; raise `BenchmarkError` after `deadline` seconds."""
        end = time.monotonic() + deadline
        while not condition():
            self.check()
            if time.monotonic() > end:
                raise BenchmarkError(f"{what}: not within {deadline:.0f} s; see {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL if that is not enough."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(_DEADLINE)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()


@dataclass(frozen=True)
class Installation:
    """A broker, whose it may be, and a database with spanloom's topics and tables."""

    folder: Path
    database: Process
    bootstrap_servers: str
    url: str
    settings: Mapping[str, str]
    """What a spanloom command needs besides the two addresses."""

    @property
    def environment(self) -> dict[str, str]:
        """What a spanloom command needs to work on this stack."""
        return {
            "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "SPANLOOM_CLICKHOUSE__URL": self.url,
            **self.settings,
        }

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        return query(self.url, sql)


@dataclass(frozen=True)
class Stack(Installation):
    """The same with a broker of its own."""

    broker: Process


def query(url: str, sql: str) -> list[dict[str, Any]]:
    """The rows that a ClickHouse answers with; nothing for a statement."""
    body = f"{sql} FORMAT JSONEachRow" if sql.startswith(("SELECT", "WITH")) else sql
    request = urllib.request.Request(f"{url}/?output_format_json_quote_64bit_integers=0", data=body.encode())
    with urllib.request.urlopen(request, timeout=120) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def answers(url: str) -> bool:
    """Whether a GET of `url` is answered with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def local_stack(folder: Path) -> Iterator[Stack]:
    """Start broker and database, create topics and tables; stop both at the end."""
    kafka_port = free_port()
    servers = f"127.0.0.1:{kafka_port}"
    with contextlib.ExitStack() as parts:
        broker = Process("broker", broker_command(kafka_port), folder)
        parts.callback(broker.stop)
        process, url = parts.enter_context(database(folder))
        broker.wait_until(lambda: asyncio.run(broker_answers(servers)), "an answer of the broker")
        stack = Stack(folder, process, servers, url, LOCAL_SETTINGS, broker)
        set_up(stack)
        yield stack


@contextlib.contextmanager
def database(folder: Path) -> Iterator[tuple[Process, str]]:
    """Start the local database; returns it and its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = ("-m", "spanloom.local.clickhouse", "--data", str(folder / "data"), "--port", str(port))
    process = Process("clickhouse", (sys.executable, *argv), folder)
    try:
        process.wait_until(lambda: answers(f"{url}/ping"), "an answer of the database")
        yield process, url
    finally:
        process.stop()


def set_up(stack: Installation) -> None:
    """Create topics and tables."""
    for command in ("topics", "migrate"):
        process = Process(
            command, (sys.executable, "-m", "spanloom", command), stack.folder, stack.environment
        )
        code = process._child.wait(_DEADLINE)
        if code:
            raise BenchmarkError(f"spanloom {command} ended with {code}; see {process.log}")


def worker(stack: Stack, name: str = "worker") -> tuple[Process, str]:
    """Start a spanloom worker; returns it and the URL of its probes. It is not ready yet."""
    port = free_port()
    env = {**stack.environment, "SPANLOOM_WORKER__WEB_PORT": str(port), "SPANLOOM_WORKER__NAME": name}
    process = Process(name, (sys.executable, "-m", "spanloom", "worker"), stack.folder, env)
    return process, f"http://127.0.0.1:{port}"
