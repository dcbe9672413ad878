"""The settings of the receiver."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from spanloom.connections.settings import Seconds, ServerSettings, split

MEBIBYTE = 2**20


class ReceiverSettings(ServerSettings):
    """Where the receiver listens, who may send, and how much."""

    FILES: ClassVar[tuple[str, ...]] = ("keys_file", *ServerSettings.FILES)
    PORTS: ClassVar[int] = 2

    host: str = Field("127.0.0.1", description="The address that OTLP is received on.")
    grpc_port: int = Field(4317, ge=1, le=65535, description="The port of OTLP/gRPC.")
    http_port: int = Field(4318, ge=1, le=65535, description="The port of OTLP/HTTP.")
    web_host: str = Field("127.0.0.1", description="The address of the probes and metrics.")
    web_port: int = Field(6065, ge=1, le=65535, description="The port of the probes and metrics.")
    keys_file: str = Field(
        "",
        description="TOML file of API keys, hashed; `spanloom keys new` writes it. Read again when it changes.",
    )
    keys: str = Field(
        "", description="API keys without a file: `project:sha256` of each key, separated by commas."
    )
    hosts: str = Field(
        "",
        description="Names that it may be sent to under without API keys, separated by commas, besides this machine's"
        " own, such as host.docker.internal.",
    )
    cors_origins: str = Field(
        "", description="Origins of browser applications that may send, separated by commas; `*` is any."
    )
    max_body_bytes: int = Field(
        16 * MEBIBYTE, ge=1024, le=256 * MEBIBYTE, description="Largest size of a request as sent, bytes."
    )
    max_message_bytes: int = Field(
        64 * MEBIBYTE, ge=1024, le=1024 * MEBIBYTE, description="Largest size of a request unpacked, bytes."
    )
    max_connections: int = Field(
        2048,
        ge=1,
        description="Most open connections to each of both ports; fewer where the limit of open files leaves no room.",
    )
    head_timeout: Seconds = Field(
        10, description="Seconds a TLS handshake and the head of a request may take to arrive."
    )
    idle_timeout: Seconds = Field(
        630,
        description="Seconds a connection may stay open without a request; clients and balancers keep it less long.",
    )
    max_grpc_bytes: int = Field(
        8 * MEBIBYTE,
        ge=1024,
        le=64 * MEBIBYTE,
        description="Largest size of a gRPC message, as sent and unpacked, bytes.",
    )
    max_requests: int = Field(1000, ge=1, description="Most requests in flight.")
    max_bytes: int = Field(
        256 * MEBIBYTE,
        ge=MEBIBYTE,
        description="Most bytes in flight: received, and not in Kafka yet.",
    )
    rate_bytes: int = Field(
        0,
        ge=0,
        description="Bytes a second that a project may send, ten seconds' worth at once; 0 is no limit.",
    )
    body_timeout: Seconds = Field(30, description="Seconds a request may take to arrive.")
    ack_timeout: Seconds = Field(
        8, description="Seconds Kafka has to acknowledge; then the client is asked to send again."
    )

    @property
    def origins(self) -> list[str]:
        """The parts of `cors_origins`."""
        return split(self.cors_origins)

    @property
    def host_names(self) -> list[str]:
        """The parts of `hosts`."""
        return split(self.hosts)

    @property
    def is_open(self) -> bool:
        """Whether anybody may send: no keys are set."""
        return not self.keys_file and not self.keys

    @model_validator(mode="after")
    def _check(self) -> ReceiverSettings:
        if self.is_open and not self.is_loopback:
            raise ValueError(
                "host is not a loopback address, and without API keys anybody could send: set"
                " SPANLOOM_RECEIVER__KEYS_FILE (`spanloom keys new PROJECT` makes keys), or host to 127.0.0.1"
            )
        if self.max_message_bytes < self.max_body_bytes:
            raise ValueError("max_message_bytes is below max_body_bytes: raise it or lower the other")
        # A project gets three quarters, and needs a body as sent and unpacked, then unpacked and split.
        largest = max(self.max_body_bytes, self.max_message_bytes) + self.max_message_bytes
        if 3 * self.max_bytes < 4 * max(largest, self.max_grpc_bytes):
            raise ValueError(
                "three quarters of max_bytes are below twice max_message_bytes, or below max_grpc_bytes, so one request"
                " could never fit: raise it or lower the others"
            )
        return self
