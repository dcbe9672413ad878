"""Fixtures that start the real local broker and database, each on a free port and in a temp folder.

Use them with `pytest_plugins = ["tests.fixtures_local"]`. `Process` is for tests that need a broker or a
database of their own, to stop or kill it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from spanloom.local.broker import broker_answers, broker_command
from spanloom.local.ports import free_port

# Seconds. The broker and the database start in less than one, a whole stack in ten; a loaded machine gets time.
START_DEADLINE = 120.0


def wait_until(condition: Callable[[], bool], what: str, deadline: float = 30.0) -> None:
    """Ask every 20 ms until `condition` holds; fail the test after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline:.0f} s: {what}")
        time.sleep(0.02)


class Process:
    """A server in a process of its own, started when the block is entered and ready then."""

    def __init__(
        self,
        argv: tuple[str, ...],
        ready: Callable[[], bool],
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._argv = argv
        self._env = env
        self._folder = folder
        self._ready = ready
        self._log = log
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process ID while it runs."""
        assert self._child is not None
        return self._child.pid

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start and wait until it answers."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._argv, stdout=log, stderr=subprocess.STDOUT, env=self._env, cwd=self._folder
            )
        wait_until(self._ready_or_dead, f"an answer from {' '.join(self._argv)}", START_DEADLINE)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal it and wait for its end; returns the exit code."""
        assert self._child is not None
        if self._child.poll() is None:
            os.kill(self._child.pid, how)
        return self._child.wait(60)

    def _ready_or_dead(self) -> bool:
        assert self._child is not None
        if self._child.poll() is not None:
            pytest.fail(f"{' '.join(self._argv)} ended with {self._child.returncode}:\n{self.log}")
        return self._ready()


def broker_process(port: int, folder: Path) -> Process:
    """Tansu on 127.0.0.1:`port`, everything in memory."""
    return Process(
        broker_command(port),
        lambda: asyncio.run(broker_answers(f"127.0.0.1:{port}")),
        folder / "broker.log",
    )


def clickhouse_process(
    port: int,
    folder: Path,
    python: str = sys.executable,
    program: Sequence[str] = ("-m", "spanloom.local.clickhouse"),
) -> Process:
    """The local ClickHouse on 127.0.0.1:`port` with its data in `folder`/data.

    Args:
        program: what Python runs: it takes the options of `spanloom.local.clickhouse` after its own.
    """
    argv = (python, *program, "--data", str(folder / "data"), "--port", str(port))
    return Process(argv, lambda: _pings(port), folder / "clickhouse.log")


def _pings(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
            return bool(answer.read() == b"Ok.\n")
    except OSError:
        return False


@pytest.fixture(scope="session")
def local_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap servers of a local broker that all tests of the session share."""
    port = free_port()
    with broker_process(port, tmp_path_factory.mktemp("broker")):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def local_clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a local ClickHouse that all tests of the session share."""
    port = free_port()
    with clickhouse_process(port, tmp_path_factory.mktemp("clickhouse")):
        yield f"http://127.0.0.1:{port}"
