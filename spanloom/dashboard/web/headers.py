"""The headers that keep a browser from doing more than a page needs."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spanloom.browsers import names_loopback

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""Nothing from another host, and nothing inline: a text that slips through as HTML still runs nothing."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would send our own forms with the origin `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
"""What every answer has unless it says otherwise; people's conversations stay out of every cache."""


class SecurityHeaders:
    """Adds them to every answer, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


STRICT_TRANSPORT_SECURITY = "max-age=31536000"
"""A year. Nothing of subdomains: those may be somebody else's (RFC 6797, section 6.1)."""


class StrictTransport:
    """Tells browsers to come by https only, where they did: over TLS of our own, or of a trusted proxy.

    Not under this machine's own names: a browser would then ask every program on any port of `localhost` by https.
    It stands within `TrustedProxies`, which sets the scheme.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
            await send(message)

        secure = scope["type"] == "http" and scope["scheme"] == "https"
        named = secure and not names_loopback(Headers(scope=scope))
        await self._app(scope, receive, with_header if named else send)
