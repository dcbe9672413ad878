"""Asks the API as a browser would, in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from fastapi import Request

from spanloom.dashboard.api.app import api_app
from spanloom.warehouse.client import Warehouse


class Api:
    """The API for someone who may see some projects, or all."""

    def __init__(self, warehouse: Warehouse, visible: frozenset[str] | None = None) -> None:
        async def sees(_: Request) -> frozenset[str] | None:
            return visible

        self.app = api_app(warehouse, sees)

    def answer(self, path: str, **parameters: Any) -> httpx2.Response:
        """The answer to GET /api/`path`. Parameters that are Python's words end in `_`."""
        given = {name.rstrip("_"): value for name, value in parameters.items() if value is not None}

        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://dashboard") as client:
                return await client.get(f"/api/{path}", params=given)

        return asyncio.run(ask())

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.answer(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of all pages."""
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **parameters)
            rows += page["rows"]
            cursor = page["next"]
            if cursor is None:
                return rows
