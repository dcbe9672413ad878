"""Requests that come through a reverse proxy: who really sends them, and how. Only trusted addresses are believed."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from spanloom.dashboard.settings import split

_THROUGH = "spanloom.through_proxy"

Networks = Sequence[IPv4Network | IPv6Network]


def came_through_proxy(scope: Any) -> bool:
    """Whether a trusted proxy sent a request itself."""
    return bool(scope.get(_THROUGH))


class TrustedProxies:
    """Puts the client and the scheme in place that a trusted proxy reports.

    Args:
        addresses: addresses and networks, separated by commas.
    """

    def __init__(self, app: ASGIApp, addresses: str) -> None:
        self._app = app
        self._trusted: Networks = [ip_network(part) for part in split(addresses)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        client = scope.get("client")
        if scope["type"] == "http" and client is not None and self._trusts(client[0]):
            headers = Headers(scope=scope)
            scope = {**scope, _THROUGH: True, "client": (self._sender(headers, client[0]), client[1])}
            if headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "https":
                scope["scheme"] = "https"
        await self._app(scope, receive, send)

    def _sender(self, headers: Headers, peer: str) -> str:
        """The last address in `X-Forwarded-For` that is no trusted proxy: what stands before it anyone may write."""
        addresses = split(",".join(headers.getlist("x-forwarded-for")))
        return next((address for address in reversed(addresses) if not self._trusts(address)), peer)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._trusted)
