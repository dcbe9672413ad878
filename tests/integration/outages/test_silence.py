"""A connection over which no answer comes any more, while the broker answers on all others."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanloom.local.broker import broker_command
from spanloom.local.ports import free_port
from tests.fixtures_local import Process, wait_until
from tests.integration import otlp
from tests.integration.installation import Installation
from tests.integration.otlp import SESSIONS, TRACES
from tests.integration.test_failures import load

_FETCH = 1
"""The API key of Kafka's requests to fetch."""


class Relay:
    """Stands before a broker that names it as its address, and can swallow all further answers of a connection."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._to_silence = b""
        self.silenced = 0
        """Connections whose answers are swallowed."""
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self, client: str) -> None:
        """Swallow all further answers on the connection on which the client of this name fetches next."""
        self._to_silence = client.encode()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        silent = threading.Event()
        with client, socket.create_connection(self._target) as server, contextlib.suppress(OSError, EOFError):
            threading.Thread(target=self._answers, args=(server, client, silent), daemon=True).start()
            while True:
                request = _frame(client)
                key, length = struct.unpack(">h", request[4:6])[0], struct.unpack(">h", request[12:14])[0]
                if key == _FETCH and self._to_silence and request[14 : 14 + length] == self._to_silence:
                    self._to_silence = b""
                    silent.set()
                    self.silenced += 1
                server.sendall(request)

    def _answers(self, server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                answer = _frame(server)
                if not silent.is_set():
                    client.sendall(answer)


def _frame(source: socket.socket) -> bytes:
    """The next request or answer with its length before it; raises EOFError behind the last one."""
    head = _exactly(source, 4)
    return head + _exactly(source, struct.unpack(">i", head)[0])


def _exactly(source: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        if not (some := source.recv(size - len(read))):
            raise EOFError
        read += some
    return read


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[tuple[Relay, int]]:
    """A relay, and the port of the local broker behind it."""
    port = free_port()
    relay = Relay(port)
    command = [*broker_command(port)]
    command[command.index("--advertised-listener-url") + 1] = f"tcp://127.0.0.1:{relay.port}"

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    with contextlib.closing(relay), Process(tuple(command), listens, tmp_path / "broker.log"):
        yield relay, port


def test_the_worker_says_so_and_connects_anew(
    relay: tuple[Relay, int], local_clickhouse: str, tmp_path: Path
) -> None:
    """aiokafka alone would wait for 90 s: a request of the group may take that long."""
    between, port = relay
    with Installation(f"127.0.0.1:{port}", local_clickhouse, tmp_path) as installation:
        worker = installation.worker()
        messages = load(12, seed=73)
        half = len(messages) // 2
        installation.produce(messages[:half])
        installation.wait_for(TRACES, otlp.expected_traces(messages[:half]))
        between.silence(f"spanloom-{worker.name}")
        wait_until(lambda: between.silenced == 1, "the connection to fall silent")
        before = worker.log
        installation.produce(messages[half:])
        wait_until(
            lambda: "could not read the ends of the log" in worker.log.removeprefix(before),
            "the worker to say that nothing comes",
            15,
        )
        installation.wait_for(TRACES, otlp.expected_traces(messages), deadline=30)
        installation.wait_for(SESSIONS, otlp.expected_sessions(messages), deadline=30)
        assert "connecting anew" in worker.log.removeprefix(before)
