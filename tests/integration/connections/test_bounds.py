"""However many connections there are: probes answer, others find room, and the process never runs out of open files."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures_local import wait_until
from tests.integration import probes
from tests.integration.connections.servers import CLIENT, NAMES, Server, running

pytestmark = pytest.mark.stack

FILES = 128
"""Files that the process may open."""

MANY = 400
"""Connections that are opened: three times as many."""

FEW_LINES = 40
"""Lines that a start, a few refusals and an end leave in a log."""


@contextlib.contextmanager
def held(server: Server, number: int, source: str = CLIENT, sent: bytes = b"") -> Iterator[int]:
    """Open connections, and give how many of them are open still."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(number):
            with contextlib.suppress(OSError):
                connection = stack.enter_context(server.connect(source, plain=True))
                connection.sendall(sent)
                connections.append(connection)
        yield sum(not is_closed(connection) for connection in connections)


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection, a moment after it was opened."""
    connection.settimeout(0.05)
    try:
        return not connection.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("name", NAMES)
def test_a_flood_leaves_room_for_probes_and_ends_with_itself(name: str, tmp_path: Path) -> None:
    with running(name, tmp_path, files=FILES) as server:
        for _ in range(2):
            with held(server, MANY) as still_open:
                assert 0 < still_open < FILES
                if name in ("receiver", "dashboard"):
                    assert probes.probe(server.probe_port, "/live") == 200
                    assert probes.metrics(server.probe_port)
                assert len(list(Path(f"/proc/{server.process.pid}/fd").iterdir())) < FILES
            wait_until(server.answers, "answers when the flood is over")
        assert len(server.log_lines()) < FEW_LINES
        assert server.complaints() == []


@pytest.mark.parametrize("name", ["receiver", "dashboard", "probes"])
def test_one_address_leaves_half_to_the_others(name: str, tmp_path: Path) -> None:
    timeouts: dict[str, Any] = {
        "request_timeout" if name == "dashboard" else "head_timeout": 60,
        "idle_timeout": 60,
    }
    with running(name, tmp_path, files=FILES, **timeouts) as server, held(server, MANY) as still_open:
        assert still_open > 0
        assert not server.answers()
        assert server.answers("127.0.0.3")


def test_bounds_can_be_set(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "max_connections": 8,
        "max_connections_per_address": 5,
        "head_timeout": 60,
        "idle_timeout": 60,
    }
    with running("receiver", tmp_path, **settings) as server:

        def none_open() -> bool:
            return server.metrics()['spanloom_connections{server="otlp_http"}'] == 0

        wait_until(none_open, "the connection that asked whether it runs to be closed")
        with held(server, 20) as first, held(server, 20, "127.0.0.3") as second:
            assert (first, second) == (5, 3)
            found = server.metrics()
        assert found['spanloom_connections{server="otlp_http"}'] == 8
        assert found['spanloom_connections_refused_total{reason="address",server="otlp_http"}'] == 15
        assert found['spanloom_connections_refused_total{reason="full",server="otlp_http"}'] == 17
        wait_until(none_open, "all to be closed")


def test_the_soft_limit_of_open_files_is_raised(tmp_path: Path) -> None:
    """The usual soft limit is 1,024, of two ports' connections not the half."""
    with running("receiver", tmp_path) as server:
        limits = Path(f"/proc/{server.process.pid}/limits").read_text()
        soft, hard = next(line for line in limits.splitlines() if "open files" in line).split()[3:5]
        assert int(soft) == min(int(hard), 65_536)
