"""An aiohttp application on a port whose connections are bounded."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict, CIMultiDictProxy

from spanloom.connections.guard import Guard, listen

_BACKLOG = 1024
"""Connections that wait to be accepted."""


async def serve(
    app: web.Application,
    host: str,
    port: int,
    guard: Guard,
    *,
    idle_timeout: float,
    tls: ssl.SSLContext | None = None,
    **options: Any,
) -> web.AppRunner:
    """Bind and serve; cleaning up the runner ends it.

    Args:
        guard: watches over the connections. The head of the first request has its timeout; the next one, with the
            time that the connection is idle before it, has `idle_timeout`: that is aiohttp's own, which goes on while
            a head arrives.
        idle_timeout: seconds a connection may stay open between two requests.
        tls: none is no TLS.
        options: of `web.AppRunner`.

    Raises:
        OSError: the port is taken.
    """
    app.middlewares.insert(0, _watched_by(guard))
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=idle_timeout, **options)
    listeners = listen(host, port, guard)
    try:
        await runner.setup()
        assert runner.server is not None
        runner.server.request_factory = _with_texts(runner.server.request_factory)
        for listener in listeners:
            await web.SockSite(runner, listener, ssl_context=tls, backlog=_BACKLOG).start()
    except BaseException:
        for listener in listeners:
            listener.close()
        await runner.cleanup()
        raise
    return runner


def _with_texts(request_factory: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """Have requests whose headers are texts: aiohttp shows bytes that are no UTF-8 as lone surrogates, at which
    whatever writes them anywhere fails, aiohttp itself with the header `Expect`.
    """

    def request(message: Any, *args: Any) -> web.BaseRequest:
        if not all(map(str.isascii, message.headers.values())):
            clean = (
                (name, value.encode("utf-8", "replace").decode()) for name, value in message.headers.items()
            )
            message = message._replace(headers=CIMultiDictProxy(CIMultiDict(clean)))
        return request_factory(message, *args)

    return request


def _watched_by(guard: Guard) -> Middleware:
    @web.middleware
    async def watched(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        transport = request.transport
        if guard.waits and transport is not None:
            connection: socket.socket | None = transport.get_extra_info("socket")
            if connection is not None:  # gone with a TLS connection that was closed meanwhile
                guard.head_arrived(connection.fileno())
        try:
            return await handler(request)
        except web.RequestPayloadError:
            return web.Response(status=400, text="The body is not as its head says.\n")
        except ConnectionError:
            if request.transport is not None and not request.transport.is_closing():
                raise
            # The client has hung up, which is no error of ours; this is answered to nobody.
            return web.Response(status=400)

    return watched
