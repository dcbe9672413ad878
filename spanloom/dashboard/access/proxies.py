"""Requests that come through a reverse proxy: who really sends them, and how.

Whoever is believed is so for what it wrote itself: in `X-Forwarded-For` each proxy adds, at the end, the address that
it saw, and what stands before the addresses of our own proxies anybody may have written, whatever it looks like.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from spanloom.connections.settings import split
from spanloom.dashboard.settings import DashboardSettings

SECRET_HEADER = "x-spanloom-proxy-secret"
"""The header in which a proxy proves that it is the one."""

_THROUGH = "spanloom.through_proxy"

Networks = Sequence[IPv4Network | IPv6Network]


def came_through_proxy(scope: Any) -> bool:
    """Whether a trusted proxy sent a request itself."""
    return bool(scope.get(_THROUGH))


class TrustedProxies:
    """Puts the client and the scheme in place that a trusted proxy reports, and takes its secret away."""

    def __init__(self, app: ASGIApp, settings: DashboardSettings) -> None:
        self._app = app
        self._trusted: Networks = [ip_network(part) for part in split(settings.proxy_addresses)]
        self._secret = settings.proxy_secret.get_secret_value().encode()
        self._hops = settings.proxy_hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        client = scope.get("client")
        if scope["type"] == "http" and client is not None and self._believes(scope, client[0]):
            headers = Headers(scope=scope)
            scope = {**scope, _THROUGH: True, "client": (self._sender(headers) or client[0], client[1])}
            if headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "https":
                scope["scheme"] = "https"
        await self._app(scope, receive, send)

    def _believes(self, scope: Scope, peer: str) -> bool:
        if not self._trusted and not self._secret:
            return False
        if self._trusted and not self._trusts(peer):
            return False
        if not self._secret:
            return True
        shown = [value for name, value in scope["headers"] if name == SECRET_HEADER.encode()]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self._secret)

    def _sender(self, headers: Headers) -> str | None:
        """Whom the outermost of our proxies saw; None where it does not say."""
        addresses = split(",".join(headers.getlist("x-forwarded-for")))
        return address_in(addresses[-self._hops]) if len(addresses) >= self._hops else None

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._trusted)


def address_in(text: str) -> str | None:
    """The address in an entry of `X-Forwarded-For`, some of which have a port; None where there is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
