"""Asks a dashboard as a browser would, in this process: with cookies, and following nothing by itself."""

from __future__ import annotations

import asyncio
import re
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

    def get(self, path: str, **headers: str | bytes) -> httpx2.Response:
        """GET."""
        return self._send("GET", path, headers)

    def post(self, path: str, form: dict[str, str], **headers: str | bytes) -> httpx2.Response:
        """POST a form."""
        return self._send("POST", path, headers, data=form)

    def log_in(self, name: str, password: str, onward: str = "/sessions") -> httpx2.Response:
        """Fill in the form of `/login`."""
        form = self.get("/login")
        return self.post(
            "/login", {"token": token_of(form.text), "next": onward, "name": name, "password": password}
        )

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


def _named(headers: dict[str, str | bytes]) -> list[tuple[bytes, bytes]]:
    return [
        (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]


def visitor(warehouse: Warehouse, **settings: Any) -> Visitor:
    """A visitor of a dashboard of their own."""
    return Visitor(dashboard_app(warehouse, DashboardSettings(**settings)))


def token_of(html: str) -> str:
    """The token of the first form that has one."""
    found = re.search(r'name="token" value="([0-9a-f]{64})"', html)
    assert found is not None, html
    return found[1]
