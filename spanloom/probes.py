"""The probes and metrics of a process over HTTP: `/live`, `/ready` and `/metrics`.

Faust's own web server stays off: it would show the tables, and so everybody's data, to any client.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from spanloom.connections.aiohttp_server import serve
from spanloom.connections.count import Count
from spanloom.connections.guard import Guard

BEAT = 1.0
"""Seconds between two beats of the event loop."""

LIVE_WITHIN = 30.0
"""Seconds without a beat after which the process counts as dead."""

_CONNECTIONS = 16
"""Connections at most, half of them from one address: for an orchestrator, Prometheus and somebody who looks."""

_HEAD_TIMEOUT = 5.0  # seconds
_IDLE_TIMEOUT = 75.0  # seconds; Prometheus asks every 15 to 60 by the same connection

Conditions = Mapping[str, bool]
"""What must hold for the process to be ready, each by a short name."""


class Probes:
    """Serves the probes.

    `/live` answers 200 while the event loop makes progress; a loop that hangs answers nothing or 503.
    `/ready` answers 200 when all conditions hold, else 503 and which do not.

    Args:
        host: the address to bind.
        port: the port to bind.
        conditions: returns what must hold for the process to be ready.
    """

    def __init__(self, host: str, port: int, conditions: Callable[[], Conditions]) -> None:
        self._host = host
        self._port = port
        self._conditions = conditions
        self._last_beat = time.monotonic()
        self._runner: web.AppRunner | None = None
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application()
        app.add_routes(
            [web.get("/live", self._live), web.get("/ready", self._ready), web.get("/metrics", self._metrics)]
        )
        guard = Guard("probes", Count(_CONNECTIONS, _CONNECTIONS // 2), _HEAD_TIMEOUT)
        self._runner = await serve(app, self._host, self._port, guard, idle_timeout=_IDLE_TIMEOUT)
        self._beating = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Stop serving."""
        if self._beating is not None:
            self._beating.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _beat(self) -> None:
        while True:
            self._last_beat = time.monotonic()
            await asyncio.sleep(BEAT)

    async def _live(self, _: web.Request) -> web.Response:
        late = time.monotonic() - self._last_beat
        return _answer({"event loop": late < LIVE_WITHIN})

    async def _ready(self, _: web.Request) -> web.Response:
        return _answer(self._conditions())

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answer(conditions: Conditions) -> web.Response:
    good = all(conditions.values())
    return web.Response(
        text=json.dumps({"ok": good, **conditions}) + "\n",
        status=200 if good else 503,
        content_type="application/json",
    )
