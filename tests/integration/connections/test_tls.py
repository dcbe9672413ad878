"""TLS is 1.2 or newer, with ciphers that have forward secrecy and authenticate what they encrypt."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.connections.servers import Server, make_certificate, running

pytestmark = pytest.mark.stack

ANYTHING = "ALL:@SECLEVEL=0"
"""At a higher security level OpenSSL's client would refuse old versions by itself."""

OLD = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "AES256-SHA")


@pytest.fixture(scope="module", params=["receiver", "dashboard", "gRPC"])
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp("server")
    name = "dashboard" if request.param == "dashboard" else "receiver"
    with running(name, folder, certificate=make_certificate(folder)) as server:
        yield "127.0.0.1", port_of(server, request.param)


def port_of(server: Server, name: str) -> int:
    return server.grpc_port if name == "gRPC" else server.port


def agreed(address: tuple[str, int], version: ssl.TLSVersion, ciphers: str) -> tuple[str, str]:
    """The version and the cipher that a client gets which speaks one version only.

    Raises:
        OSError: the server refuses.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.set_alpn_protocols(["h2", "http/1.1"])
    # What follows is deprecated, and here to be refused.
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(address, 10) as plain, context.wrap_socket(plain) as connection:
        cipher = connection.cipher()
        assert cipher is not None
        return connection.version() or "", cipher[0]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(address: tuple[str, int], version: ssl.TLSVersion) -> None:
    spoken, cipher = agreed(address, version, "DEFAULT")
    assert spoken == version.name.replace("_", ".")
    assert "GCM" in cipher or "CHACHA20" in cipher


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(address: tuple[str, int], version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        agreed(address, version, ANYTHING)


@pytest.mark.parametrize("cipher", OLD)
def test_old_ciphers_are_refused(address: tuple[str, int], cipher: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        agreed(address, ssl.TLSVersion.TLSv1_2, f"{cipher}:@SECLEVEL=0")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_this_client_does_speak_old_versions(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """Else it would prove nothing that they are refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers(ANYTHING)
    context.load_cert_chain(make_certificate(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        answering = threads.submit(
            lambda: context.wrap_socket(listener.accept()[0], server_side=True).close()
        )
        assert agreed(listener.getsockname(), version, ANYTHING)[0] == version.name.replace(
            "_", "."
        ).removesuffix(".0")
        answering.result()
