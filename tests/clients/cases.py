"""Which SDK sends over which transport, and what a developer changes in its program for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.clients.environments import HERE

KEY = "any-key"
"""The API key that stands in the programs of SDKs which insist on one."""

SESSION = "my-session"
"""The session that stands in the programs."""

COMPRESSION = "OTEL_EXPORTER_OTLP_COMPRESSION"

_GZIP = {COMPRESSION: "gzip"}
_DEFLATE = {COMPRESSION: "deflate"}


@dataclass(frozen=True)
class Case:
    """A client over a transport.

    Attributes:
        name: as the tests and docs/sending.md call it.
        program: the file in programs/.
        transport: what it must use: the other port of the receiver is not given to it.
        edits: what is replaced in the program, each of which must be there.
        environment: further environment variables.
        spans: how many spans two turns are.
    """

    name: str
    program: str
    transport: Literal["grpc", "http"]
    edits: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    spans: int = 4

    @property
    def path(self) -> Path:
        """The program."""
        return HERE / "programs" / self.program

    @property
    def is_javascript(self) -> bool:
        """Whether Node.js runs it."""
        return self.program.endswith(".mjs")


_GRPC = {"http://127.0.0.1:4318/v1/traces": "http://127.0.0.1:4317"}
_PYTHON_GRPC = {"otlp.proto.http.": "otlp.proto.grpc.", **_GRPC}
_PYTHON_JSON = {"otlp.proto.http.": "otlp.json.http."}
_JAVASCRIPT_GRPC = {"otlp-proto": "otlp-grpc", **_GRPC}
_JAVASCRIPT_JSON = {"otlp-proto": "otlp-http"}

CASES = (
    Case("Laminar, Python, gRPC", "laminar_python.py", "grpc"),
    Case(
        "Laminar, Python, HTTP",
        "laminar_python.py",
        "http",
        {"grpc_port=4317": "grpc_port=4317, force_http=True"},
    ),
    Case("Laminar, TypeScript, gRPC", "laminar_typescript.mjs", "grpc"),
    Case(
        "Laminar, TypeScript, HTTP",
        "laminar_typescript.mjs",
        "http",
        {"grpcPort: 4317,": "grpcPort: 4317, forceHttp: true,"},
    ),
    Case("OpenTelemetry, Python, gRPC", "opentelemetry_python.py", "grpc", _PYTHON_GRPC),
    Case("OpenTelemetry, Python, gRPC, gzip", "opentelemetry_python.py", "grpc", _PYTHON_GRPC, _GZIP),
    Case("OpenTelemetry, Python, HTTP/protobuf", "opentelemetry_python.py", "http"),
    Case("OpenTelemetry, Python, HTTP/protobuf, gzip", "opentelemetry_python.py", "http", {}, _GZIP),
    Case("OpenTelemetry, Python, HTTP/protobuf, deflate", "opentelemetry_python.py", "http", {}, _DEFLATE),
    Case("OpenTelemetry, Python, HTTP/JSON", "opentelemetry_python.py", "http", _PYTHON_JSON),
    Case("OpenTelemetry, Python, HTTP/JSON, gzip", "opentelemetry_python.py", "http", _PYTHON_JSON, _GZIP),
    Case("OpenTelemetry, JavaScript, gRPC", "opentelemetry_javascript.mjs", "grpc", _JAVASCRIPT_GRPC),
    Case(
        "OpenTelemetry, JavaScript, gRPC, gzip",
        "opentelemetry_javascript.mjs",
        "grpc",
        _JAVASCRIPT_GRPC,
        _GZIP,
    ),
    Case("OpenTelemetry, JavaScript, HTTP/protobuf", "opentelemetry_javascript.mjs", "http"),
    Case("OpenTelemetry, JavaScript, HTTP/protobuf, gzip", "opentelemetry_javascript.mjs", "http", {}, _GZIP),
    Case("OpenTelemetry, JavaScript, HTTP/JSON", "opentelemetry_javascript.mjs", "http", _JAVASCRIPT_JSON),
    Case(
        "OpenTelemetry, JavaScript, HTTP/JSON, gzip",
        "opentelemetry_javascript.mjs",
        "http",
        _JAVASCRIPT_JSON,
        _GZIP,
    ),
    Case(
        "OpenTelemetry, Python, by environment",
        "opentelemetry_python.py",
        "http",
        {'endpoint="http://127.0.0.1:4318/v1/traces"': ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
    ),
    Case(
        "OpenTelemetry, JavaScript, by environment",
        "opentelemetry_javascript.mjs",
        "http",
        {'{ url: "http://127.0.0.1:4318/v1/traces" }': ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
    ),
    Case("Langfuse, Python, HTTP", "langfuse_python.py", "http"),
    Case(
        "Langfuse, Python, by environment",
        "langfuse_python.py",
        "http",
        {'public_key="any", secret_key="any-key", base_url="http://127.0.0.1:4318"': ""},
        {
            "LANGFUSE_PUBLIC_KEY": "any",
            "LANGFUSE_SECRET_KEY": "any-key",
            "LANGFUSE_HOST": "http://127.0.0.1:4318",
        },
    ),
    Case("Traceloop, Python, HTTP", "traceloop_python.py", "http"),
    Case(
        "Traceloop, Python, gRPC",
        "traceloop_python.py",
        "grpc",
        {
            "http://127.0.0.1:4318": "grpc://127.0.0.1:4317",
            'api_key="any-key"': 'headers={"authorization": "Bearer any-key"}',
        },
    ),
    Case("OpenInference, Python, gRPC", "openinference_python.py", "grpc", spans=2),
    Case(
        "OpenInference, Python, HTTP",
        "openinference_python.py",
        "http",
        {"proto.grpc.": "proto.http.", "http://127.0.0.1:4317": "http://127.0.0.1:4318/v1/traces"},
        spans=2,
    ),
)


def case(name: str) -> Case:
    """Return the case of that name."""
    return next(case for case in CASES if case.name == name)
