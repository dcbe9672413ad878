"""`spanloom dashboard`: the pages and their API, reading ClickHouse, and their probes."""

from __future__ import annotations

import contextlib
import logging
import socket

import uvicorn

from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings, is_loopback
from spanloom.probes import Probes
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.warehouse.client import connect
from spanloom.warehouse.settings import ClickHouseSettings

logger = logging.getLogger("spanloom.dashboard")

_BACKLOG = 512  # connections that wait to be taken
_SHUTDOWN = 10  # seconds that requests under way get at the end


def reading(clickhouse: ClickHouseSettings, settings: DashboardSettings) -> ClickHouseSettings:
    """Return how the dashboard reaches ClickHouse: as a user of its own, where one is set."""
    if not settings.clickhouse_user:
        return clickhouse
    own = {"user": settings.clickhouse_user, "password": settings.clickhouse_password}
    return clickhouse.model_copy(update=own)


async def run(clickhouse: ClickHouseSettings, settings: DashboardSettings, vocabulary: Vocabulary) -> None:
    """Run a dashboard until SIGTERM or SIGINT; requests under way are answered first.

    It starts without ClickHouse too: its pages say that it is away, and recover.

    Raises:
        spanloom.dashboard.access.users.UsersError: the users file can't be read.
        OSError: a port is taken, or the certificate can't be read.
    """
    # Its news are our own; its errors are heard.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    if logs_in_without_tls(settings):
        logger.warning(
            "logins come unencrypted to %s: set SPANLOOM_DASHBOARD__TLS_CERTFILE and __TLS_KEYFILE, or"
            " __PROXY_ADDRESSES to the proxy with TLS before it, unless this machine alone reaches it",
            settings.host,
        )
    warehouse = connect(reading(clickhouse, settings))
    config = uvicorn.Config(
        dashboard_app(warehouse, settings, vocabulary),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Ours believes trusted proxies only.
        proxy_headers=False,
        ssl_certfile=settings.tls_certfile or None,
        ssl_keyfile=settings.tls_keyfile or None,
        timeout_graceful_shutdown=_SHUTDOWN,
    )
    config.load()  # reads the certificate
    # Bound here: uvicorn would end the process by itself where the port is taken.
    bound = _bound(settings.host, settings.port)
    probes = Probes(settings.web_host, settings.web_port, lambda: {"serving": True})
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(warehouse.close)
        stack.callback(bound.close)
        await probes.start()
        stack.push_async_callback(probes.stop)
        scheme = "https" if settings.tls_certfile else "http"
        logger.info("serving %s://%s:%s", scheme, settings.host, settings.port)
        await uvicorn.Server(config).serve(sockets=[bound])


def logs_in_without_tls(settings: DashboardSettings) -> bool:
    """Whether passwords and cookies may cross a network that anybody reads."""
    encrypted = settings.tls_certfile or settings.proxy_addresses
    return bool(settings.users_file) and not encrypted and not is_loopback(settings.host)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
