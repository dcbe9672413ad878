"""The whole dashboard as an application: pages, JSON API, static files."""

from __future__ import annotations

from fastapi import FastAPI

from dashboard.api.routes import api_router
from dashboard.failures import install_failures
from dashboard.headers import SecurityHeaders
from dashboard.pages.routes import pages_router
from dashboard.settings import DashboardSettings
from dashboard.site import Site
from dashboard.static_files import static_router
from warehouse.client import Warehouse


def dashboard_app(warehouse: Warehouse, settings: DashboardSettings) -> FastAPI:
    """Return the application; it reads the warehouse and writes nothing."""
    site = Site(warehouse, settings)
    app = FastAPI(
        title="spanloom", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, version="1"
    )
    app.include_router(static_router())
    app.include_router(api_router(warehouse, site.visible))
    app.include_router(pages_router(site))
    install_failures(app, site)
    app.add_middleware(SecurityHeaders)
    return app
