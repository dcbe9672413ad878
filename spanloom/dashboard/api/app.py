"""The JSON API alone, as an application: for tests, benchmarks and whoever wants no pages."""

from __future__ import annotations

from fastapi import FastAPI

from spanloom.dashboard.access.projects import VisibleProjects, everything
from spanloom.dashboard.api.errors import install_errors
from spanloom.dashboard.api.exports import exports_router
from spanloom.dashboard.api.routes import api_router
from spanloom.warehouse.client import Warehouse


def api_app(warehouse: Warehouse, visible_projects: VisibleProjects = everything) -> FastAPI:
    """Return the application. Its own documentation page loads scripts from elsewhere, so there is none."""
    app = FastAPI(
        title="spanloom", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, version="1"
    )
    app.include_router(exports_router(warehouse, visible_projects))  # first: `export` is no trace ID
    app.include_router(api_router(warehouse, visible_projects))
    install_errors(app)
    return app
