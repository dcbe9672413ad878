"""What clients do wrong leaves a few lines in the log, and nothing of what they sent."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures_local import wait_until
from tests.integration.connections.servers import NAMES, Server, make_certificate, running

pytestmark = pytest.mark.stack

SECRET = b"sk-very-secret"

MALFORMED = {
    "no HTTP": b"\0\1\2 %s\r\n\r\n" % SECRET,
    "another protocol": b"SSH-2.0-%s\r\n\r\n" % SECRET,
    "a header without a name": b"GET / HTTP/1.1\r\nHost: a\r\n: %s\r\n\r\n" % SECRET,
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\0\r\n\r\n" % SECRET,
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "both kinds of length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a wrong chunk": b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n%s\r\n" % SECRET,
    "a long head": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + SECRET * 200_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: %s\r\n" % SECRET * 1000 + b"\r\n",
    "version 9": b"GET / HTTP/9.9\r\nHost: a\r\nX: %s\r\n\r\n" % SECRET,
    "a wrong path": b"GET http://[%s HTTP/1.1\r\nHost: a\r\n\r\n" % SECRET,
    "an upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX: %s\r\n\r\n"
    % SECRET,
    "CONNECT": b"CONNECT %s:1 HTTP/1.1\r\nHost: a\r\n\r\n" % SECRET,
}

FEW_LINES = 40


@pytest.fixture(scope="module", params=NAMES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp("server")) as server:
        yield server


def send(server: Server, sent: bytes) -> bytes:
    """Send something on a connection of its own, and return what is answered, to the end."""
    answer = b""
    with contextlib.suppress(OSError), server.connect() as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65_536):
            answer += part
        reset(connection)
    return answer


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_request_is_refused_in_few_lines_without_its_text(server: Server, kind: str) -> None:
    before = len(server.process.log)
    for _ in range(200):
        answer = send(server, MALFORMED[kind])
        assert not answer.startswith(b"HTTP/1.1 5"), answer
    assert server.answers()
    log = server.process.log[before:]
    assert len(log.splitlines()) < FEW_LINES, log[:3000]
    assert SECRET.decode() not in log
    assert "Traceback" not in log


def test_ten_thousand_malformed_heads_are_a_few_lines(server: Server) -> None:
    sent = MALFORMED["a NUL in a header"]
    before = len(server.log_lines())
    for _ in range(10_000):
        with contextlib.suppress(OSError), server.connect() as connection:
            connection.sendall(sent)
            connection.recv(100)
            # Else ten thousand ports of this machine would be taken for a minute.
            reset(connection)
    assert server.answers()
    assert len(server.log_lines()) - before < FEW_LINES


def reset(connection: socket.socket) -> None:
    """End a connection by a reset, as a process does that is killed with data unread."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


BODIES = {
    "receiver": (
        b"POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\n",
        b"GET /health HTTP/1.1\r\n",
    ),
    "dashboard": (
        b"POST /login HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\n",
        b"GET /login HTTP/1.1\r\n",
    ),
    "clickhouse": (b"POST / HTTP/1.1\r\n", b"GET /?query=SELECT+*+FROM+numbers(1000000) HTTP/1.1\r\n"),
    "probes": (b"GET /live HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\n"),
}


@pytest.mark.parametrize("end", [reset, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_client_that_hangs_up_is_no_error(
    name: str, tls: bool, end: Callable[[socket.socket], None], tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path) if tls and name in ("receiver", "dashboard") else None
    post, get = BODIES[name]
    host = b"Host: 127.0.0.1\r\n"
    ways = {
        "before anything": (b"", False),
        "in a head": (get + host, False),
        "in a body": (post + host + b"Content-Length: 1000\r\n\r\nhalf", False),
        "in a chunk": (post + host + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf", False),
        "before an answer": (get + host + b"\r\n", False),
        "in many answers": ((get + host + b"\r\n") * 50, True),
        "before the answer to a body": (post + host + b"Content-Length: 4\r\n\r\nhalf", False),
    }
    with (
        running(name, tmp_path, certificate=certificate, head_timeout=30)
        if name != "dashboard"
        else running(name, tmp_path, certificate=certificate) as server
    ):
        for sent, read in ways.values():
            for _ in range(20):
                connection = server.connect()
                connection.sendall(sent)
                if read:
                    connection.recv(10)
                end(connection)
                # The probes have few connections, and the next one is not to be refused.
                wait_until(server.answers, "the next connection to be taken")
        if certificate:
            for sent in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
                connection = server.connect(plain=True)
                connection.sendall(sent)
                end(connection)
        assert server.answers()
        if name == "receiver":
            gauge = 'spanloom_connections{server="otlp_http"}'
            wait_until(lambda: server.metrics()[gauge] == 0, "all to be gone")
            assert not [key for key in server.metrics() if 'outcome="failed"' in key]
    assert server.complaints() == []
    assert len(server.log_lines()) < FEW_LINES
