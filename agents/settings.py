"""The settings of the worker, of what it takes from a span, and of its connection to Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, model_validator

from spans.limits import Limits
from spans.values import MAX_NESTING

_DEFAULT = Limits()

MAX_LABEL_CHARACTERS = 65_536
"""The most that `labels` times `name` may be. Tags and metadata of a span are up to three such texts a label, of up to
four bytes a character; with its previews and names that stays below 1,048,588 bytes, Kafka's default for a record."""

Seconds = Annotated[float, Field(gt=0)]


class KafkaSettings(BaseModel, extra="forbid"):
    """How to reach Kafka, and how the topics are cut."""

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Brokers as host:port, separated by commas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How the connection is protected."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="How the worker proves who it is."
    )
    sasl_username: str = Field("", description="The user for SASL.")
    sasl_password: SecretStr = Field(SecretStr(""), description="The password for SASL.")
    ssl_cafile: str = Field(
        "", description="PEM file with the authorities to trust; empty trusts the system's."
    )
    ssl_certfile: str = Field("", description="PEM file with the client's certificate.")
    ssl_keyfile: str = Field("", description="PEM file with the client's key.")
    group_id: str = Field("spanloom", min_length=1, description="The consumer group; one for all workers.")
    source_topic: str = Field("otlp_spans", min_length=1, description="The topic that exporters write to.")
    partitions: int = Field(
        8, ge=1, le=1000, description="Partitions of every topic; no more workers than this."
    )
    replication_factor: int = Field(1, ge=1, le=10, description="Copies of every topic; 3 in production.")
    idempotent: bool = Field(
        True, description="Produce idempotently; off only for a broker that can't, such as the local one."
    )
    session_timeout: Seconds = Field(
        30, description="Seconds without a heartbeat after which a worker is dead."
    )
    heartbeat_interval: Seconds = Field(3, description="Seconds between two heartbeats.")
    rebalance_timeout: Seconds = Field(60, description="Seconds a worker has to give its partitions back.")

    @model_validator(mode="after")
    def _check(self) -> KafkaSettings:
        if self.heartbeat_interval * 2 > self.session_timeout:
            raise ValueError(
                "heartbeat_interval must be at most half of session_timeout: lower it or raise the other"
            )
        if self.security_protocol.startswith("SASL") and not self.sasl_username:
            raise ValueError("sasl_username is missing: set SPANLOOM_KAFKA__SASL_USERNAME")
        for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
            path = getattr(self, name)
            if path and not Path(path).is_file():
                raise ValueError(
                    f"{name} names a file that is not there: correct SPANLOOM_KAFKA__{name.upper()}"
                )
        if bool(self.ssl_certfile) != bool(self.ssl_keyfile):
            raise ValueError("ssl_certfile and ssl_keyfile belong together: set both or none")
        return self


class WorkerSettings(BaseModel, extra="forbid"):
    """How one worker works."""

    name: str = Field("", description="The name of the worker in logs; empty takes the host name.")
    web_host: str = Field("127.0.0.1", description="The address of the probes and metrics.")
    web_port: int = Field(6066, ge=1, le=65535, description="The port of the probes and metrics.")
    window: int = Field(
        3600,
        ge=60,
        le=86400,
        description="Seconds of event time in which a session's contributions are summed; fixed once data is there.",
    )
    retention: int = Field(
        3600, ge=1, description="Seconds of the stream clock without news after which state is forgotten."
    )
    linger: float = Field(0.1, ge=0.01, le=10, description="Seconds a batch waits for more messages.")
    batch_messages: int = Field(64, ge=1, description="Messages in a batch at the most.")
    checkpoint_deadline: Seconds = Field(
        20,
        description="Seconds a checkpoint may take when partitions are revoked or the worker stops;"
        " at most 70 % of rebalance_timeout.",
    )
    prices_file: str = Field(
        "", description="TOML file with prices of your own, see docs/pricing.md; empty for none."
    )
    recovery_timeout: Seconds = Field(
        120, description="Seconds without progress of a recovery after which the worker gives up."
    )


class LimitSettings(BaseModel, extra="forbid"):
    """How much of one span is kept, see `spans.limits.Limits`. Lengths in characters."""

    text: int = Field(
        _DEFAULT.text, ge=1024, le=1 << 24, description="Characters of `input` and of `output` that are kept."
    )
    name: int = Field(
        _DEFAULT.name,
        ge=64,
        le=4096,
        description="Characters of a name, ID, model, tag, metadata value or status message that are kept;"
        " times LABELS at most 65,536.",
    )
    labels: int = Field(
        _DEFAULT.labels,
        ge=0,
        le=1024,
        description="Tags of a span, and entries of its metadata, that are kept.",
    )
    value: int = Field(
        _DEFAULT.value, ge=64, le=1 << 24, description="Characters of an attribute's value that are kept."
    )
    attributes: int = Field(
        _DEFAULT.attributes, ge=16, le=65_536, description="Attributes of a span that are kept."
    )
    resource: int = Field(
        _DEFAULT.resource,
        ge=1024,
        le=1 << 20,
        description="Characters of all attributes of a resource, which each of its spans repeats, that are kept.",
    )
    events: int = Field(_DEFAULT.events, ge=0, le=10_000, description="Events of a span that are kept.")
    event_attributes: int = Field(
        _DEFAULT.event_attributes, ge=0, le=10_000, description="Attributes of an event that are kept."
    )
    spans: int = Field(
        _DEFAULT.spans, ge=1, le=1_000_000, description="Spans of a message; a larger one is a dead letter."
    )
    rejects: int = Field(
        _DEFAULT.rejects,
        ge=0,
        le=1000,
        description="Spans of a message that become a dead letter each; further ones go together in one.",
    )
    nesting: int = Field(
        _DEFAULT.nesting,
        ge=1,
        le=MAX_NESTING,
        description="Levels of arrays and maps in a value that are read; deeper ones are shown as base64.",
    )

    @model_validator(mode="after")
    def _check(self) -> LimitSettings:
        if self.name * self.labels > MAX_LABEL_CHARACTERS:
            raise ValueError(
                f"name times labels must be at most {MAX_LABEL_CHARACTERS:,}, or a span's facts would not fit into a"
                " record: lower one of them"
            )
        return self

    def limits(self) -> Limits:
        """The limits as the pure part takes them."""
        return Limits(**self.model_dump())
