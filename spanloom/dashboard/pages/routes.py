"""The addresses of the pages.

As in the API, a session ID is a parameter, `/session?id=…`, since it may hold any characters; a trace ID stands
in the path.
"""

# No `from __future__ import annotations`: FastAPI would look for `Sees` among the module's names.
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.pages.detail_routes import detail_router
from spanloom.dashboard.pages.list_page import SESSIONS, TRACES, list_file, list_page
from spanloom.dashboard.pages.login import log_in, log_out, login_page
from spanloom.dashboard.web.site import Site


def pages_router(site: Site) -> APIRouter:
    """Return the routes of the pages; needs `install_failures` on the app."""
    router = APIRouter(include_in_schema=False)
    Sees = Annotated[Visible, Depends(site.visible)]

    @router.get("/sessions/export")
    async def sessions_file(request: Request, sees: Sees) -> Response:
        return await list_file(site, SESSIONS, request, sees)

    @router.get("/traces/export")
    async def traces_file(request: Request, sees: Sees) -> Response:
        return await list_file(site, TRACES, request, sees)

    router.include_router(detail_router(site))  # behind these: `export` is no trace ID

    @router.get("/")
    async def start() -> Response:
        return RedirectResponse("/sessions", 302)

    @router.get("/sessions")
    async def sessions(request: Request, sees: Sees) -> Response:
        return await list_page(site, SESSIONS, request, sees)

    @router.get("/traces")
    async def traces(request: Request, sees: Sees) -> Response:
        return await list_page(site, TRACES, request, sees)

    @router.get("/login")
    async def show_login(request: Request) -> Response:
        return await login_page(site, request)

    @router.post("/login")
    async def login(request: Request) -> Response:
        return await log_in(site, request)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        return await log_out(site, request)

    return router
