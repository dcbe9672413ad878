"""The settings that every server for clients has: where it listens, its TLS, and how many connections it takes."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, model_validator

from spanloom.connections.count import Count
from spanloom.connections.descriptors import raise_limit, room

Seconds = Annotated[float, Field(gt=0, le=3600)]


class ServerSettings(BaseModel, extra="forbid"):
    """A part's settings are these and its own."""

    FILES: ClassVar[tuple[str, ...]] = ("tls_certfile", "tls_keyfile")
    """The settings that name a file."""

    PORTS: ClassVar[int] = 1
    """Ports for clients: they share the connections that the limit of open files leaves room for."""

    host: str = Field("127.0.0.1", description="The address that clients come to.")
    tls_certfile: str = Field("", description="PEM file with the server's certificate chain; none is no TLS.")
    tls_keyfile: str = Field("", description="PEM file with the certificate's key.")
    max_connections: int = Field(
        1024,
        ge=1,
        description="Most open connections; fewer where the limit of open files leaves no room for them.",
    )
    max_connections_per_address: int = Field(
        0,
        ge=0,
        description="Of those over HTTP, most from one address (IPv6: one /64 network); 0 is half of them.",
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def missing_file(self) -> str | None:
        """Return the name of a setting whose file is not there.

        Not checked when settings are read: other commands may share them without having the files.
        """
        paths = {name: getattr(self, name) for name in self.FILES}
        return next((name for name, path in paths.items() if path and not Path(path).is_file()), None)

    def room(self) -> int:
        """Return how many connections each port takes, after raising the limit of open files as far as it goes."""
        return room(raise_limit(), self.max_connections, self.PORTS)

    def count(self) -> Count:
        """Return an empty count of a port's connections, with its bounds."""
        most = self.room()
        return Count(most, self.max_connections_per_address or max(1, most // 2))

    @model_validator(mode="after")
    def _check_tls(self) -> ServerSettings:
        if bool(self.tls_certfile) != bool(self.tls_keyfile):
            raise ValueError("tls_certfile and tls_keyfile belong together: set both or none")
        return self


def split(text: str) -> list[str]:
    """The parts of a setting that are separated by commas."""
    return [part for part in map(str.strip, text.split(",")) if part]
