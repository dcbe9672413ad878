"""A receiver in a process of its own, and what a test sends to it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from spanloom.local.ports import free_port
from spanloom.receiver.requests.envelope import JSON, PROTOBUF
from tests.fixtures_local import wait_until
from tests.integration import probes

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Answered(NamedTuple):
    """What an HTTP request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def refusal(self) -> status_pb2.Status:
        """Return the refusal that OTLP wants in the body."""
        assert self.headers["content-type"] == PROTOBUF
        return status_pb2.Status.FromString(self.body)


class Receiver:
    """`spanloom receiver` as a process; started when the block is entered, killed at its end if it still runs.

    Args:
        environment: of the command.
        folder: of its log.
        settings: further settings, without their prefix: `ack_timeout="2"`.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path, **settings: object) -> None:
        self.grpc_port, self.http_port, self.web_port = free_port(), free_port(), free_port()
        ports = {"grpc_port": self.grpc_port, "http_port": self.http_port, "web_port": self.web_port}
        self._environment = {**environment}
        for name, value in {**ports, **settings}.items():
            self._environment[f"SPANLOOM_RECEIVER__{name.upper()}"] = str(value)
        self._log = folder / f"receiver-{self.http_port}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.tls: ssl.SSLContext | None = None

    def __enter__(self) -> Receiver:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print(self.log[-8000:])
        if self.running:
            self.process.kill()
            self.process.wait(30)

    def start(self, *, ready: bool = True) -> None:
        """Start it, and wait until it answers; and until it is connected to Kafka, if wanted."""
        with self._log.open("ab") as log:
            argv = [sys.executable, "-m", "spanloom", "receiver"]
            self._process = subprocess.Popen(
                argv, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(lambda: self._alive() and self.probe("/live") == 200, "the receiver to be there", 60)
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self, deadline: float = 60) -> None:
        """Wait until it is connected to Kafka."""
        wait_until(
            lambda: self._alive() and self.probe("/ready") == 200, "the receiver to be ready", deadline
        )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process."""
        assert self._process is not None
        return self._process

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(60)

    def peak_memory(self) -> int:
        """The most memory it has held at once since `forget_peak_memory`, bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")

    def forget_peak_memory(self) -> None:
        """Begin anew: what it holds now is the peak."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def probe(self, path: str) -> int:
        """Return the status of a probe, 0 without an answer."""
        return probes.probe(self.web_port, path)

    def metrics(self) -> dict[str, float]:
        """Return the metrics by name with labels."""
        return probes.metrics(self.web_port)

    def post(
        self,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/v1/traces",
        method: str = "POST",
        content_type: str = PROTOBUF,
        timeout: float = 60,
    ) -> Answered:
        """Send an HTTP request."""
        scheme = "https" if self.tls else "http"
        request = urllib.request.Request(
            f"{scheme}://127.0.0.1:{self.http_port}{path}",
            data=body if method == "POST" else None,
            method=method,
            headers={"Content-Type": content_type, **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.tls) as answer:
                return Answered(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answered(error.code, _lower(error.headers), error.read())

    def channel(self, credentials: grpc.ChannelCredentials | None = None) -> grpc.Channel:
        """Open a gRPC channel."""
        address = f"127.0.0.1:{self.grpc_port}"
        options = (("grpc.max_send_message_length", -1),)
        if credentials:
            return grpc.secure_channel(address, credentials, options)
        return grpc.insecure_channel(address, options)

    def export(
        self,
        body: bytes,
        metadata: tuple[tuple[str, str], ...] = (),
        compression: grpc.Compression | None = None,
        timeout: float = 60,
    ) -> bytes:
        """Send a request over gRPC and return the answer's bytes; raises grpc.RpcError."""
        with self.channel() as channel:
            call: Any = channel.unary_unary(EXPORT)
            answer: bytes = call(body, metadata=metadata, compression=compression, timeout=timeout)
            return answer

    def _alive(self) -> bool:
        if not self.running:
            pytest.fail(f"the receiver has ended with {self.process.returncode}:\n{self.log[-3000:]}")
        return True


def retry_info(error: grpc.RpcError) -> float | None:
    """Return the seconds after which to send again, by the details of a gRPC refusal; None without."""
    assert isinstance(error, grpc.Call)
    status = rpc_status.from_call(error)
    return retry_delay(status) if status is not None else None


def retry_delay(status: status_pb2.Status) -> float | None:
    """Return the seconds after which to send again, None without."""
    info = error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None


def json_of(answered: Answered) -> dict[str, object]:
    """Return the JSON of an answer."""
    assert answered.headers["content-type"].startswith(JSON)
    found: dict[str, object] = json.loads(answered.body)
    return found


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
