"""The settings of the dashboard."""

from __future__ import annotations

from ipaddress import ip_network
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator, model_validator

from spanloom.connections.settings import Seconds, ServerSettings, split

_SHORTEST_SECRET = 32

_FEW = 16
"""Addresses of proxies, at most, that nobody else is expected to have."""


class DashboardSettings(ServerSettings):
    """Where the pages are served, who may look, and as whom ClickHouse is read."""

    FILES: ClassVar[tuple[str, ...]] = ("users_file", *ServerSettings.FILES)

    host: str = Field("127.0.0.1", description="The address that the pages are served on.")
    port: int = Field(8080, ge=1, le=65535, description="The port of the pages and their API.")
    web_host: str = Field("127.0.0.1", description="The address of the probes and metrics.")
    web_port: int = Field(6064, ge=1, le=65535, description="The port of the probes and metrics.")
    hosts: str = Field(
        "",
        description="Names that the pages may be asked for under, separated by commas; without any, on loopback"
        " without a login, only this machine's own, else all.",
    )
    users_file: str = Field(
        "",
        description="TOML file of those who may log in; `spanloom users new` writes it. Read again when it changes.",
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="Signs the cookies, 32 characters or more, the same for all dashboards behind one address;"
        " without it a random one, and a restart logs everybody out.",
    )
    login_hours: int = Field(168, ge=1, le=8760, description="Hours after which one must log in again.")
    proxy_addresses: str = Field(
        "",
        description="Addresses or networks of the reverse proxies whose headers are believed, separated by commas.",
    )
    proxy_hops: int = Field(
        1,
        ge=1,
        le=10,
        description="How many reverse proxies stand before it, one behind the other: who they act for is the address"
        " so many entries from the end of X-Forwarded-For.",
    )
    proxy_secret: SecretStr = Field(
        SecretStr(""),
        description="What a reverse proxy must send in X-Spanloom-Proxy-Secret to be believed, 32 characters or more;"
        " with it proxy_addresses may be left out.",
    )
    proxy_user_header: str = Field(
        "",
        description="The header in which such a proxy names the user that it let in; nobody logs in here then.",
    )
    proxy_projects: str = Field(
        "",
        description="Projects that everybody whom the proxy lets in may see, separated by commas, `*` for all;"
        " none: as the users file says.",
    )
    request_timeout: Seconds = Field(
        20, description="Seconds a TLS handshake and a request may take to arrive."
    )
    idle_timeout: Seconds = Field(
        75,
        description="Seconds a connection may stay open without a request: longer than a proxy in front keeps it.",
    )
    clickhouse_user: str = Field(
        "", description="The user that reads ClickHouse; none: that of SPANLOOM_CLICKHOUSE__USER."
    )
    clickhouse_password: SecretStr = Field(SecretStr(""), description="The password of clickhouse_user.")
    answer_timeout: int = Field(
        12,
        ge=1,
        le=3600,
        description="Seconds after which a page says that ClickHouse does not answer: more than the 10 that a query may"
        " take, at most SPANLOOM_CLICKHOUSE__READ_TIMEOUT.",
    )
    forget: bool = Field(
        False,
        description="Whether users whom the users file allows it may have data forgotten: requests are written to"
        " Kafka, and `spanloom forgetter` works on them.",
    )
    otlp_url: str = Field(
        "http://127.0.0.1:4318",
        description="Where the receiver takes OTLP/HTTP: what the pages tell people to send to.",
    )

    @property
    def wide_proxies(self) -> list[str]:
        """Networks in which anyone could claim to be anyone: more than a few addresses, and no secret."""
        if not self.proxy_user_header or self.proxy_secret.get_secret_value():
            return []
        return [part for part in split(self.proxy_addresses) if ip_network(part).num_addresses > _FEW]

    @property
    def is_open(self) -> bool:
        """Whether anybody who reaches it may look."""
        return not self.users_file and not self.proxy_user_header

    @field_validator("proxy_addresses")
    @classmethod
    def _check_addresses(cls, addresses: str) -> str:
        for part in split(addresses):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(
                    "must be addresses such as 10.0.0.7 or networks such as 10.0.7.0/28, separated by commas"
                ) from None
        return addresses

    @field_validator("secret", "proxy_secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(
                f"must have {_SHORTEST_SECRET} characters or more: `openssl rand -hex 32` makes one"
            )
        return secret

    @model_validator(mode="after")
    def _check(self) -> DashboardSettings:
        if self.is_open and not self.is_loopback:
            raise ValueError(
                "host is not a loopback address, and without a login anybody could look: set"
                " SPANLOOM_DASHBOARD__USERS_FILE (`spanloom users new NAME` makes users) or __PROXY_USER_HEADER,"
                " or host to 127.0.0.1"
            )
        if self.proxy_user_header and not self.proxy_addresses and not self.proxy_secret.get_secret_value():
            raise ValueError(
                "proxy_user_header is set, but neither proxy_addresses nor proxy_secret, so anybody could claim to be"
                " anyone: set the one to the addresses of the proxy, or the other to what it sends"
            )
        if self.proxy_user_header and not self.proxy_projects and not self.users_file:
            raise ValueError(
                "proxy_user_header is set, but nothing says what those users may see: set proxy_projects"
                " or users_file"
            )
        if self.proxy_projects and not self.proxy_user_header:
            raise ValueError("proxy_projects is set without proxy_user_header: set both or none")
        if self.forget and not self.users_file:
            raise ValueError(
                "forget is set without users_file, which says who may have what forgotten: set both"
            )
        if self.clickhouse_password.get_secret_value() and not self.clickhouse_user:
            raise ValueError("clickhouse_password is set without clickhouse_user: set both or none")
        return self
