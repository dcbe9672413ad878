"""A connection lives as long as it brings requests; what only begins one is closed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.connections.servers import NAMES, Server, is_cut, make_certificate, running

pytestmark = pytest.mark.stack

WITH_TLS = ("receiver over TLS", "dashboard over TLS")

WITH_SETTINGS = ("receiver", "dashboard", *WITH_TLS)
"""Those whose time to be idle is a setting; the others' is minutes, by the same code."""


@pytest.fixture(scope="module", params=(*NAMES, *WITH_TLS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    name = request.param.split()[0]
    with running(
        name, folder, certificate=make_certificate(folder) if request.param in WITH_TLS else None
    ) as server:
        yield server


def all_cut(server: Server, attacks: dict[str, Callable[[], bool]]) -> None:
    with ThreadPoolExecutor(len(attacks)) as threads:
        results = {name: threads.submit(attack) for name, attack in attacks.items()}
    assert {name: result.result() for name, result in results.items()} == dict.fromkeys(attacks, True)
    assert server.answers()
    assert server.complaints() == []


def test_a_head_that_does_not_arrive_ends_its_connection(server: Server) -> None:
    def attack(sent: bytes, drip: bytes = b"", *, plain: bool = False) -> Callable[[], bool]:
        def result() -> bool:
            with server.connect(plain=plain) as connection:
                connection.sendall(sent)
                return is_cut(connection, drip)

        return result

    attacks = {
        "nothing": attack(b""),
        "nothing, not even a handshake": attack(b"", plain=True),
        "a part": attack(server.head(ended=False)),
        "byte by byte": attack(server.head(ended=False), b"x"),
        "header by header": attack(server.head(ended=False), b"y: z\r\nX"),
        "empty lines": attack(b"", b"\r\n"),
    }
    if server.tls is not None:
        # A record of a handshake, 16 kB of it, that comes byte by byte.
        attacks["a handshake byte by byte"] = attack(b"\x16\x03\x01\x3f\xff\x01", b"\0", plain=True)
    all_cut(server, attacks)


@pytest.mark.parametrize("server", WITH_SETTINGS, indirect=True)
def test_a_further_head_has_a_deadline_too(server: Server) -> None:
    def attack(drip: bytes) -> Callable[[], bool]:
        def result() -> bool:
            with server.connect() as connection:
                assert server.answers_on(connection)
                return is_cut(connection, drip)

        return result

    all_cut(server, {"nothing": attack(b""), "a head byte by byte": attack(b"G"), "lines": attack(b"\r\n")})


def test_an_idle_connection_outlives_a_head(server: Server) -> None:
    """Clients keep connections for minutes, and the next request must not meet a closed one."""
    with server.connect() as idle, contextlib.ExitStack() as stack:
        assert server.answers_on(idle)
        assert is_cut(stack.enter_context(server.connect()))
        assert server.answers_on(idle)


@pytest.mark.parametrize("server", ["dashboard", "dashboard over TLS"], indirect=True)
def test_a_body_that_does_not_arrive_ends_its_connection(server: Server) -> None:
    """The dashboard's bodies are small forms; those of the receiver have a timeout of their own."""

    def attack(body: bytes) -> Callable[[], bool]:
        def result() -> bool:
            with server.connect() as connection:
                connection.sendall(
                    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000\r\n"
                    b"Sec-Fetch-Site: same-origin\r\n\r\n"
                )
                return is_cut(connection, body)

        return result

    all_cut(server, {"nothing": attack(b""), "byte by byte": attack(b"x")})
