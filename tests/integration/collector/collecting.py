"""A Collector in a process of its own, with deploy/otel-collector.yaml, and what a test sends to it."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
import yaml

from spanloom.local.ports import free_port
from tests.environments import ROOT
from tests.fixtures_local import Process
from tests.integration import probes

CONFIG = ROOT / "deploy" / "otel-collector.yaml"
"""What the documentation tells people to run."""

KEY = "key-of-the-tests"
"""What the Collector asks senders for."""

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Collector(Process):
    """A Collector that runs by the documented file; of that, a second file changes the ports and no more than asked.

    Args:
        binary: from `building.collector`.
        brokers: bootstrap servers.
        folder: of its log, and of the second file.
        exporter: settings of the Kafka exporter that are changed or added.
    """

    def __init__(
        self, binary: Path, brokers: str, folder: Path, exporter: Mapping[str, Any] | None = None
    ) -> None:
        self._health_port, self._metrics_port = free_port(), free_port()
        self._grpc_port, self._http_port = free_port(), free_port()
        changes = folder / f"collector-{self._health_port}.yaml"
        changes.write_text(yaml.safe_dump(self._changes(exporter or {})))
        super().__init__(
            (str(binary), f"--config={CONFIG}", f"--config={changes}"),
            lambda: probes.probe(self._health_port, "/") == 200,
            changes.with_suffix(".log"),
            {**os.environ, "KAFKA_BROKERS": brokers, "COLLECTOR_KEY": KEY},
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print(self.log[-8000:])
        # Asked politely it would first wait for Kafka, if need be for ever.
        self.stop(signal.SIGTERM if kind is None else signal.SIGKILL)

    def post(self, body: bytes, authorization: str | None = f"Bearer {KEY}") -> None:
        """Send a request over OTLP/HTTP as protobuf; raises urllib.error.HTTPError where it is refused."""
        headers = {"Content-Type": "application/x-protobuf"}
        headers |= {"Authorization": authorization} if authorization is not None else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self._http_port}/v1/traces", body, headers)
        with urllib.request.urlopen(request, timeout=60):
            pass

    def export(self, body: bytes, authorization: str | None = f"Bearer {KEY}") -> None:
        """Send a request over OTLP/gRPC; raises grpc.RpcError where it is refused."""
        options = (("grpc.max_send_message_length", -1),)
        with grpc.insecure_channel(f"127.0.0.1:{self._grpc_port}", options) as channel:
            call: Any = channel.unary_unary(_EXPORT)
            metadata = [("authorization", authorization)] if authorization is not None else []
            call(body, timeout=60, metadata=metadata)

    def sent_spans(self) -> int:
        """Return how many spans Kafka has acknowledged."""
        found = probes.metrics(self._metrics_port).items()
        return int(sum(value for name, value in found if name.startswith("otelcol_exporter_sent_spans")))

    def complaints(self) -> list[str]:
        """Return the lines of its log that are more than information."""
        return [line for line in self.log.splitlines() if "\tinfo\t" not in line]

    def _changes(self, exporter: Mapping[str, Any]) -> dict[str, Any]:
        metrics = {"host": "127.0.0.1", "port": self._metrics_port}
        return {
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{self._health_port}"}},
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": f"127.0.0.1:{self._grpc_port}"},
                        "http": {"endpoint": f"127.0.0.1:{self._http_port}"},
                    }
                }
            },
            "exporters": {"kafka": dict(exporter)},
            "service": {
                "telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": metrics}}}]}}
            },
        }
