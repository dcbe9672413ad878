"""The whole dashboard as an application: pages, JSON API, static files."""

from __future__ import annotations

from fastapi import FastAPI

from spanloom.dashboard.access.hosts import Hosts, allowed_hosts
from spanloom.dashboard.access.origins import OwnOrigin
from spanloom.dashboard.access.proxies import TrustedProxies
from spanloom.dashboard.api.exports import exports_router
from spanloom.dashboard.api.forgetting import forget_router
from spanloom.dashboard.api.routes import api_router
from spanloom.dashboard.pages.routes import pages_router
from spanloom.dashboard.settings import DashboardSettings
from spanloom.dashboard.web.failures import install_failures
from spanloom.dashboard.web.headers import SecurityHeaders, StrictTransport
from spanloom.dashboard.web.site import Site
from spanloom.dashboard.web.static_files import static_router
from spanloom.forgetting.requests import Requests
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.warehouse.client import Warehouse


def dashboard_app(
    warehouse: Warehouse,
    settings: DashboardSettings,
    vocabulary: Vocabulary = BUILT_IN,
    requests: Requests | None = None,
) -> FastAPI:
    """Return the application; it reads the warehouse and writes nothing. It explains spans by the vocabulary.

    Args:
        requests: where requests to forget are written; None: it takes none.

    Raises:
        dashboard.users.UsersError: the users file can't be read.
    """
    site = Site(warehouse, settings, vocabulary)
    app = FastAPI(
        title="spanloom", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, version="1"
    )
    app.state.site = site
    app.include_router(static_router())
    app.include_router(exports_router(warehouse, site.visible))  # first: `export` is no trace ID
    app.include_router(api_router(warehouse, site.visible))
    app.include_router(forget_router(warehouse, site.identify, site.access.tickets, requests))
    app.include_router(pages_router(site))
    install_failures(app, site)
    # The last one added is the first to see a request.
    app.add_middleware(OwnOrigin)
    app.add_middleware(Hosts, allowed_hosts(settings))
    app.add_middleware(StrictTransport)
    app.add_middleware(TrustedProxies, settings)
    app.add_middleware(SecurityHeaders)
    return app
