"""Every HTTP server of spanloom as a process, by itself: none of them needs Kafka or ClickHouse to answer."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spanloom.local.ports import free_port
from tests.fixtures_local import Process
from tests.integration import probes

HEAD_TIMEOUT = 1  # seconds, of those servers whose timeout is a setting
IDLE_TIMEOUT = 3

CLIENT = "127.0.0.2"
"""Where clients come from: with thousands of connections from 127.0.0.1, servers of other tests would find that a port
chosen for them is taken."""

NAMES = ("receiver", "dashboard", "clickhouse", "probes")
"""The servers; `probes` is the receiver's."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    process: Process
    port: int
    probe_port: int  # 0: it has no probes
    path: str  # answers 200
    tls: ssl.SSLContext | None = None
    grpc_port: int = 0

    def connect(self, source: str = CLIENT, *, plain: bool = False, timeout: float = 30) -> socket.socket:
        """Open a connection from an address of this machine; with TLS where the server has it and `plain` is false."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout, (source, 0))
        if self.tls is None or plain:
            return connection
        return self.tls.wrap_socket(connection, server_hostname="127.0.0.1")

    def head(self, *, ended: bool = True) -> bytes:
        """The head of a request that is answered with 200; without its end, of one that never is."""
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{chr(13) + chr(10) if ended else 'X'}".encode()
        )

    def answers(self, source: str = CLIENT) -> bool:
        """Whether a new connection is answered."""
        with contextlib.suppress(OSError), self.connect(source, timeout=10) as connection:
            return self.answers_on(connection)
        return False

    def answers_on(self, connection: socket.socket) -> bool:
        """Whether a connection is answered, once more or for the first time."""
        connection.sendall(self.head())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65_536)
            if not part:
                return False
            answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)
        while len(body) < length:
            body += connection.recv(65_536)
        return b" 200 " in head.split(b"\r\n")[0]

    def log_lines(self) -> list[str]:
        """What the process has logged, but for Kafka's client, which finds nobody."""
        return [line for line in self.process.log.splitlines() if "aiokafka" not in line]

    def complaints(self) -> list[str]:
        """Tracebacks and errors in its log."""
        return [line for line in self.log_lines() if "Traceback" in line or " ERROR " in line]

    def memory(self) -> int:
        """Bytes that it holds."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def metrics(self) -> dict[str, float]:
        """Its metrics by name with labels."""
        return probes.metrics(self.probe_port)


def is_cut(connection: socket.socket, drip: bytes = b"", deadline: float = 40) -> bool:
    """Whether the server ends a connection before a deadline, on which a byte comes every 200 ms where there is one."""
    end = time.monotonic() + deadline
    connection.settimeout(0.2)
    while time.monotonic() < end:
        try:
            if drip:
                connection.sendall(drip)
            if not connection.recv(65_536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@contextlib.contextmanager
def running(
    name: str, folder: Path, *, files: int = 0, certificate: Path | None = None, **settings: object
) -> Iterator[Server]:
    """Run a server.

    Args:
        name: one of `NAMES`.
        folder: of its log and data.
        files: its limit of open files, soft and hard; 0: this process's.
        certificate: a PEM file with key and certificate; with TLS then.
        settings: further ones, without prefix.
    """
    port, probe_port, grpc_port = free_port(), free_port(), free_port()
    env = {**os.environ, "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    command = ["dashboard"] if name == "dashboard" else ["receiver"]
    if name == "clickhouse":
        command = [".local.clickhouse", "--data", str(folder / "data"), "--port", str(port)]
        probe_port = 0
    elif name == "dashboard":
        users = {"users_file": _users(folder)}
        settings = {"port": port, "request_timeout": HEAD_TIMEOUT, **users, **settings}
    else:
        settings = {"http_port": port, "grpc_port": grpc_port, "head_timeout": HEAD_TIMEOUT, **settings}
    settings = {"web_port": probe_port, "idle_timeout": IDLE_TIMEOUT, **settings}
    if certificate is not None:
        settings |= {"tls_certfile": certificate, "tls_keyfile": certificate}
    env |= {f"SPANLOOM_{command[0].upper()}__{key.upper()}": str(value) for key, value in settings.items()}
    argv = [sys.executable, "-m", *command]
    if name == "clickhouse":
        argv = [sys.executable, "-m", f"spanloom{command[0]}", *command[1:]]
        env = {**os.environ}
    else:
        argv = [sys.executable, "-m", "spanloom", *command]
    if files:
        argv = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *argv]
    path = {"receiver": "/health", "dashboard": "/login", "clickhouse": "/ping", "probes": "/live"}
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(cafile=str(certificate))
    process = Process(tuple(argv), lambda: server.answers(), folder / f"{name}.log", env)  # noqa: PLW0108, not there yet
    server = Server(process, probe_port if name == "probes" else port, probe_port, path[name], tls, grpc_port)
    with process:
        yield server


def make_certificate(folder: Path) -> Path:
    """Make a key and a certificate for 127.0.0.1, in one PEM file."""
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def _users(folder: Path) -> Path:
    """A file with a user: there is a form for logging in then, of which the dashboard reads a body."""
    file = folder / "users.toml"
    argv = [sys.executable, "-m", "spanloom", "users", "new", "ada", "--all-projects", "--file", str(file)]
    subprocess.run(argv, check=True, capture_output=True)
    return file
