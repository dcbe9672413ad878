"""HTTP/2 as attackers speak it, to the gRPC port: meanwhile it answers others, stays up, and its memory is bounded.

Frames are https://www.rfc-editor.org/rfc/rfc9113#section-6.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.fixtures_local import wait_until
from tests.integration.connections.servers import CLIENT, Server, is_cut, running
from tests.integration.receiver.receiving import EXPORT

pytestmark = pytest.mark.stack

MEBIBYTE = 2**20

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_HEADERS = 4

SENDABLE_AGAIN = (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
"""With which an SDK sends again (https://opentelemetry.io/docs/specs/otlp/#failures)."""

_PAUSE = 0.001
"""Seconds between two frames, or hundreds of small ones: up to 10 MB/s on each of four connections, or 100,000 frames.

Without it, at gigabits a second of CONTINUATION, gRPC holds hundreds of megabytes: what it has read and not thrown away
yet (docs/operations.md).
"""

OTHERS = 40
"""Requests of others that succeed while an attack goes on."""


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def field(name: bytes, value: bytes) -> bytes:
    """A header that no table has, as https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2 writes it."""
    return b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value


START = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0)

CALL = (
    b"\x83\x86"  # POST, http
    + field(b":path", EXPORT.encode())
    + field(b":authority", b"a")
    + field(b"content-type", b"application/grpc")
    + field(b"te", b"trailers")
)


def rapid_reset() -> Iterator[bytes]:
    """CVE-2023-44487."""
    for stream in itertools.count(1, 2):
        yield frame(HEADERS, stream, CALL, END_HEADERS) + frame(RST_STREAM, stream, struct.pack(">I", 8))


def settings_flood() -> Iterator[bytes]:
    """CVE-2019-9515."""
    return itertools.repeat(frame(SETTINGS, 0) * 100)


def ping_flood() -> Iterator[bytes]:
    """CVE-2019-9512."""
    return itertools.repeat(frame(PING, 0, b"12345678") * 100)


def continuation_flood() -> Iterator[bytes]:
    """CVE-2024-24549 and its like: a head that never ends."""
    more = frame(CONTINUATION, 1, field(b"x", b"y" * 100) * 100)
    return itertools.chain([frame(HEADERS, 1, CALL)], itertools.repeat(more))


def empty_continuations() -> Iterator[bytes]:
    """The same of nothing."""
    return itertools.chain([frame(HEADERS, 1, CALL)], itertools.repeat(frame(CONTINUATION, 1) * 100))


def empty_data() -> Iterator[bytes]:
    """CVE-2019-9518."""
    return itertools.chain([frame(HEADERS, 1, CALL, END_HEADERS)], itertools.repeat(frame(DATA, 1) * 100))


def priorities() -> Iterator[bytes]:
    """CVE-2019-9513."""
    return itertools.repeat(frame(PRIORITY, 3, b"\0\0\0\0\x10") * 100)


def windows() -> Iterator[bytes]:
    """Window updates of one byte."""
    return itertools.repeat(frame(WINDOW_UPDATE, 0, struct.pack(">I", 1)) * 100)


def idle_calls() -> Iterator[bytes]:
    """As many calls as there may be, none of which sends its message."""
    for stream in range(1, 400, 2):
        yield frame(HEADERS, stream, CALL, END_HEADERS)


ATTACKS = (
    rapid_reset, settings_flood, ping_flood, continuation_flood, empty_continuations, empty_data, priorities,
    windows, idle_calls,
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running("receiver", tmp_path_factory.mktemp("receiver"), head_timeout=10, idle_timeout=60) as server:
        yield server


def attack(server: Server, frames: Callable[[], Iterator[bytes]], stop: threading.Event) -> None:
    """Send frames until the server ends the connection, then by another one, and again."""
    while not stop.is_set():
        with contextlib.suppress(OSError), connection_to(server) as connection:
            for sent in frames():
                if stop.wait(_PAUSE):
                    return
                connection.sendall(sent)
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while connection.recv(MEBIBYTE):
                        pass
                connection.settimeout(5)
            is_cut(connection, deadline=1)


def connection_to(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.grpc_port), 5, (CLIENT, 0))
    connection.sendall(START)
    return connection


def export(channel: grpc.Channel) -> bool:
    """Send an empty request, which needs no Kafka, once: whether it succeeded, and not only later."""
    try:
        call: Any = channel.unary_unary(EXPORT)
        return bool(call(b"", timeout=30) == b"")
    except grpc.RpcError as error:
        if not isinstance(error, grpc.Call) or error.code() not in SENDABLE_AGAIN:
            raise
        return False


@pytest.mark.parametrize("frames", ATTACKS, ids=lambda frames: str(frames.__name__))
def test_others_are_answered_while_it_goes_on(server: Server, frames: Callable[[], Iterator[bytes]]) -> None:
    stop = threading.Event()
    before = server.memory()
    threads = [threading.Thread(target=attack, args=(server, frames, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            for _ in range(OTHERS):
                wait_until(lambda: export(channel), "an ordinary request to succeed", 60)
                assert server.answers()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert server.memory() - before < 128 * MEBIBYTE
    assert server.complaints() == []
    assert not [key for key in server.metrics() if 'outcome="failed"' in key]


def test_a_connection_that_does_not_begin_is_ended(server: Server) -> None:
    for sent in (b"", START[:10], START[:30]):
        with socket.create_connection(("127.0.0.1", server.grpc_port), 5, (CLIENT, 0)) as connection:
            connection.sendall(sent)
            assert is_cut(connection)


def test_connections_are_bounded(tmp_path: Path) -> None:
    with running("receiver", tmp_path, files=128) as server, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connection_to(server)) for _ in range(400)]
        wait_until(
            lambda: sum(not is_cut(one, deadline=0.01) for one in connections) < 64,
            "the others to be refused",
        )
        assert server.answers()
        assert server.metrics()
        assert server.complaints() == []
