"""An OTLP/HTTP receiver that keeps each message unchanged: what an SDK exported, byte for byte.

It takes `/v1/traces` under any prefix (Langfuse posts to `/api/public/otel/v1/traces`), protobuf or JSON, gzip or
not. Other signals and other calls of an SDK's backend are answered kindly and kept apart.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = {"traceId", "spanId", "parentSpanId"}
"""What OTLP writes as hex in JSON, against protobuf's own rules, which say Base64."""


@dataclass
class Received:
    """What was received, in order."""

    traces: list[bytes] = field(default_factory=list)
    """Bodies of trace exports in protobuf."""
    json_traces: list[bytes] = field(default_factory=list)
    """Bodies of trace exports in JSON."""
    others: list[tuple[str, bytes]] = field(default_factory=list)
    """Path and body of everything else: logs, metrics, an SDK's own calls."""


def body_of(request: BaseHTTPRequestHandler) -> bytes:
    """Return the body of a request, whether its length is told or it comes in chunks."""
    if "chunked" not in (request.headers.get("transfer-encoding") or ""):
        return request.rfile.read(int(request.headers.get("content-length") or 0))
    chunks = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        chunks.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(chunks)


class Handler(BaseHTTPRequestHandler):
    """Takes one message."""

    protocol_version = "HTTP/1.1"
    received: Received

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer that the server is there."""
        self._reply("application/json", b"{}")

    def do_POST(self) -> None:
        """Keep the body."""
        body = body_of(self)
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        is_json = "json" in (self.headers.get("content-type") or "")
        if not self.path.split("?")[0].endswith("/v1/traces"):
            self.received.others.append((self.path, body))
        elif is_json:
            self.received.json_traces.append(body)
        else:
            self.received.traces.append(body)
        # An empty message is an answer without a partial failure.
        if is_json:
            self._reply("application/json", b"{}")
        else:
            self._reply("application/x-protobuf", b"")

    def _reply(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(received: Received, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback (a free port by default) and fill `received` in a thread until `shutdown()`."""
    handler = type("BoundHandler", (Handler,), {"received": received})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def protobuf_of(body: bytes) -> bytes:
    """Return what a collector makes of a message in JSON."""
    request = json.loads(body, object_hook=_with_base64)
    return json_format.ParseDict(
        request, ExportTraceServiceRequest(), ignore_unknown_fields=True
    ).SerializeToString()


def _with_base64(members: dict[str, object]) -> dict[str, object]:
    ids = {name: bytes.fromhex(str(members[name])) for name in _IDS & members.keys()}
    return members | {name: base64.b64encode(value).decode() for name, value in ids.items()}
