"""How to reach ClickHouse, and how long it keeps rows."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, FilePath, SecretStr, field_validator, model_validator

_DEFAULT_PORTS = {"http": 8123, "https": 8443}


class RetentionSettings(BaseModel, frozen=True, extra="forbid"):
    """After how many days rows are deleted, counted from the end of the week of their last change (from 90 days
    on, of the month); None keeps them for ever.

    Spans that go before their trace can no longer be used to rebuild it for a late span, so
    `spans_days` should be at least as long as the longest pause within a trace.
    """

    spans_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Days after which a span is deleted; never by default."
    )
    traces_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Days after which a trace's row is deleted; never by default.",
    )
    sessions_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Days after which a session's window is deleted; never by default.",
    )


class ClickHouseSettings(BaseModel, frozen=True, extra="forbid"):
    """One ClickHouse, or the load balancer of a cluster. Times in seconds."""

    url: str = Field(
        default="http://127.0.0.1:8123", description="The address of ClickHouse's HTTP interface."
    )
    user: str = Field(default="default", min_length=1, description="The user to log in as.")
    password: SecretStr = Field(default=SecretStr(""), description="The user's password.")
    database: str = Field(default="spanloom", description="The database of the tables and views.")
    cafile: FilePath | None = Field(
        default=None, description="PEM file with the authorities to trust; none trusts the usual public ones."
    )
    verify: bool = Field(default=True, description="Whether the server's certificate is checked.")
    connect_timeout: int = Field(
        default=5, ge=1, le=300, description="Seconds a connection may take to come about."
    )
    read_timeout: int = Field(default=60, ge=1, le=3600, description="Seconds a query or an insert may take.")
    compression: Literal["lz4", "zstd", "none"] = Field(
        default="lz4",
        description="How inserts are packed: lz4; zstd for fewer bytes; none for less CPU on a fast network.",
    )
    settings: dict[str, str] = Field(
        default_factory=dict,
        description="ClickHouse settings for every query and insert, such as insert_quorum.",
    )
    retention: RetentionSettings = Field(default=RetentionSettings(), description="How long rows are kept.")

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "https"

    @property
    def host(self) -> str:
        """The host's name or address, without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port: as given, else ClickHouse's own for the scheme."""
        parts = urlsplit(self.url)
        return parts.port or _DEFAULT_PORTS[parts.scheme]

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        # The value itself is never repeated: it may hold a password.
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise ValueError("the ClickHouse URL's port must be a number from 1 to 65535") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "the ClickHouse URL must not hold a user or password: "
                "set SPANLOOM_CLICKHOUSE__USER and SPANLOOM_CLICKHOUSE__PASSWORD"
            )
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("the ClickHouse URL must look like http://host:8123 or https://host:8443")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(
                "the ClickHouse URL must end after the port: the database is SPANLOOM_CLICKHOUSE__DATABASE"
            )
        return url.rstrip("/")

    @field_validator("database")
    @classmethod
    def _check_database(cls, database: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", database):
            raise ValueError("the database's name may hold letters, digits and underscores only")
        return database

    @model_validator(mode="after")
    def _check_tls(self) -> ClickHouseSettings:
        if self.cafile is not None and not self.secure:
            raise ValueError("cafile is set but the ClickHouse URL is not https://: change one of them")
        if self.cafile is not None and not self.verify:
            raise ValueError("cafile is set but verify is off: remove one of them")
        return self
