"""Asks a dashboard as a browser would, in this process: with cookies, and following nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2

from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.warehouse.client import Warehouse


class Visitor:
    """One browser in front of one dashboard.

    Args:
        app: the dashboard; several visitors may share it.
        client: the address that the dashboard sees.
    """

    def __init__(self, app: Any, base: str = "http://127.0.0.1:8080", client: str = "192.0.2.1") -> None:
        self._app = app
        self._base = base
        self._client = (client, 40000)
        self.cookies = httpx2.Cookies()

    def send(self, method: str, path: str, **headers: str | bytes) -> httpx2.Response:
        """Any other request, as it is."""
        return self._send(method, path, headers)

    def get(self, path: str, **headers: str | bytes) -> httpx2.Response:
        """GET."""
        return self._send("GET", path, headers)

    def post(self, path: str, form: dict[str, str], **headers: str | bytes) -> httpx2.Response:
        """POST a form from a page of the dashboard, or from where the headers say."""
        if not {"origin", "sec_fetch_site"} & set(headers):
            headers["origin"] = self._base
        return self._send("POST", path, headers, data=form)

    def submit(self, path: str, body: bytes, **headers: str | bytes) -> httpx2.Response:
        """POST a body as a program with a login would, or as the headers say."""
        given: dict[str, str | bytes] = {"content_type": "application/json", "sec_fetch_site": "same-origin"}
        return self._send("POST", path, given | headers, content=body)

    def log_in(self, name: str, password: str, onward: str = "/sessions") -> httpx2.Response:
        """Fill in the form of `/login`."""
        return self.post("/login", {"next": onward, "name": name, "password": password})

    def routes(self) -> Iterator[tuple[str, set[str]]]:
        """The address of every route there is, with its methods."""
        return _routes(self._app)

    def _send(self, method: str, path: str, headers: dict[str, str | bytes], **more: Any) -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(self._app, raise_app_exceptions=False, client=self._client)
            async with httpx2.AsyncClient(
                transport=transport, base_url=self._base, cookies=self.cookies
            ) as client:
                answer = await client.request(
                    method,
                    path,
                    headers=_named(headers),
                    **more,
                )
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


def _routes(router: Any) -> Iterator[tuple[str, set[str]]]:
    for route in router.routes:
        # FastAPI keeps a router that was included as one route.
        if included := getattr(route, "original_router", None):
            yield from _routes(included)
        else:
            yield route.path, set(route.methods)


def _named(headers: dict[str, str | bytes]) -> list[tuple[bytes, bytes]]:
    return [
        (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]


def visitor(warehouse: Warehouse, **settings: Any) -> Visitor:
    """A visitor of a dashboard of their own."""
    return Visitor(dashboard_app(warehouse, DashboardSettings(**settings)))
