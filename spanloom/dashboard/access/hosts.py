"""Which names the pages may be asked for under.

On loopback without a login this is what keeps other sites out: one that points its own name at 127.0.0.1 (DNS
rebinding) could read everything through the browser of whoever visits it.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from spanloom.browsers import LOOPBACK_NAMES, host_of
from spanloom.connections.settings import split
from spanloom.dashboard.settings import DashboardSettings


def allowed_hosts(settings: DashboardSettings) -> frozenset[str] | None:
    """The names that are answered; None is any."""
    named = frozenset(name.lower() for name in split(settings.hosts))
    if settings.is_open:
        return LOOPBACK_NAMES | named | {settings.host.lower()}
    return named or None


class Hosts:
    """Refuses requests for other names."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str] | None) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        allowed = self._allowed
        if scope["type"] == "http" and allowed is not None and host_of(Headers(scope=scope)) not in allowed:
            refusal = PlainTextResponse(
                "This dashboard does not answer under this name: add it to SPANLOOM_DASHBOARD__HOSTS\n",
                421,
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)
