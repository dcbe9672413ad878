"""How to reach Kafka, and how topics are partitioned and replicated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, model_validator

Seconds = Annotated[float, Field(gt=0)]


class KafkaSettings(BaseModel, extra="forbid"):
    """How to reach Kafka, and how topics are partitioned and replicated."""

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
    heartbeat_interval: Seconds = Field(
        1, description="Seconds between two heartbeats; that late a worker learns of a rebalance."
    )
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
