"""`spanloom dashboard`: the pages and their API, reading ClickHouse, and their probes."""

from __future__ import annotations

import contextlib
import logging

import uvicorn

from spanloom.commands.serving.dashboard_protocol import bounded_protocol
from spanloom.connections.guard import Guard, listen
from spanloom.connections.tls import server_tls
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.forgetting.requests import Requests
from spanloom.kafka.settings import KafkaSettings
from spanloom.probes import Probes
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.warehouse.client import connect
from spanloom.warehouse.settings import ClickHouseSettings

logger = logging.getLogger("spanloom.dashboard")

_BACKLOG = 512  # connections that wait to be taken
_SHUTDOWN = 10  # seconds that requests under way get at the end


def reading(clickhouse: ClickHouseSettings, settings: DashboardSettings) -> ClickHouseSettings:
    """Return how the dashboard reaches ClickHouse: as a user of its own where one is set, and with less patience.

    A page that says that there is no answer serves its reader better than one that stays blank for a minute.
    """
    own: dict[str, object] = {"read_timeout": min(settings.answer_timeout, clickhouse.read_timeout)}
    if settings.clickhouse_user:
        own |= {"user": settings.clickhouse_user, "password": settings.clickhouse_password}
    return clickhouse.model_copy(update=own)


async def run(
    clickhouse: ClickHouseSettings, kafka: KafkaSettings, settings: DashboardSettings, vocabulary: Vocabulary
) -> None:
    """Run a dashboard until SIGTERM or SIGINT; requests under way are answered first.

    It starts without ClickHouse too: its pages say that it is away, and recover.

    Raises:
        spanloom.dashboard.access.users.UsersError: the users file can't be read.
        OSError: a port is taken, or the certificate can't be read.
    """
    # Its news are our own; its errors are heard.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    _warn(settings)
    warehouse = connect(reading(clickhouse, settings))
    guard = Guard("dashboard", settings.count(), settings.request_timeout)
    config = uvicorn.Config(
        dashboard_app(warehouse, settings, vocabulary, Requests(kafka) if settings.forget else None),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Ours believes trusted proxies only.
        proxy_headers=False,
        http=bounded_protocol(guard),
        backlog=_BACKLOG,
        timeout_keep_alive=round(settings.idle_timeout),
        timeout_graceful_shutdown=_SHUTDOWN,
    )
    config.load()
    config.ssl = server_tls(settings.tls_certfile, settings.tls_keyfile)
    # Bound here: uvicorn would end the process by itself where the port is taken.
    bound = listen(settings.host, settings.port, guard)
    probes = Probes(settings.web_host, settings.web_port, lambda: {"serving": True})
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(warehouse.close)
        for listener in bound:
            stack.callback(listener.close)
        await probes.start()
        stack.push_async_callback(probes.stop)
        scheme = "https" if settings.tls_certfile else "http"
        logger.info("serving %s://%s:%s", scheme, settings.host, settings.port)
        await uvicorn.Server(config).serve(sockets=list(bound))


def _warn(settings: DashboardSettings) -> None:
    """Say what others could make use of, though it may be meant so."""
    if logs_in_without_tls(settings):
        logger.warning(
            "logins come unencrypted to %s: set SPANLOOM_DASHBOARD__TLS_CERTFILE and __TLS_KEYFILE, or"
            " __PROXY_ADDRESSES to the proxy with TLS before it, unless this machine alone reaches it",
            settings.host,
        )
    if wide := settings.wide_proxies:
        logger.warning(
            "whoever has an address in %s can claim to be any user: set SPANLOOM_DASHBOARD__PROXY_ADDRESSES to the"
            " proxy's own address, or __PROXY_SECRET",
            ", ".join(wide),
        )


def logs_in_without_tls(settings: DashboardSettings) -> bool:
    """Whether passwords and cookies may cross a network that anybody reads."""
    encrypted = settings.tls_certfile or settings.proxy_addresses or settings.proxy_secret.get_secret_value()
    return bool(settings.users_file) and not encrypted and not settings.is_loopback
