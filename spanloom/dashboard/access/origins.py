"""Which requests that change something are taken: those that a page of the dashboard's own has sent.

Another site can have a browser send a form here, and the browser adds the cookies it has (cross-site request forgery):
to log somebody out, or in as somebody else. Browsers say where a request was sent from (`spanloom.browsers`), so no
token in the form is needed. What does not say it comes from no current browser, and is refused too: nothing sets it
apart from a forged one.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from spanloom.browsers import is_foreign

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
"""The methods that change nothing."""


class OwnOrigin:
    """Refuses requests that change something and were not sent by a page of the dashboard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; of one that is refused nothing is read but its headers."""
        if scope["type"] == "http" and scope["method"] not in _SAFE and not is_own(Headers(scope=scope)):
            refusal = PlainTextResponse(
                "This was not sent by a page of the dashboard: go to its address and try again there. (A reverse proxy"
                " must pass the Host header on as it came, a program must send `Sec-Fetch-Site: same-origin`.)\n",
                403,
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_own(headers: Headers) -> bool:
    """Whether a page of the dashboard's own has sent a request, or the user without any page."""
    return ("sec-fetch-site" in headers or "origin" in headers) and not is_foreign(headers)
