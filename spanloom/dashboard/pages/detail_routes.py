"""The addresses of the session page, the trace page and the parts of them that scripts ask for."""

# No `from __future__ import annotations`: FastAPI would look for `Sees` among the module's names.
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.pages.explanation import explanation_part
from spanloom.dashboard.pages.session import (
    SessionPageQuery,
    cards_part,
    search_part,
    session_page,
    timeline_part,
)
from spanloom.dashboard.pages.trace import TracePageQuery, span_part, trace_page
from spanloom.dashboard.pages.turn import WholeTextQuery, steps_part, whole_text_part
from spanloom.dashboard.web.site import Site


def detail_router(site: Site) -> APIRouter:
    """Return the routes; needs `install_failures` on the app."""
    router = APIRouter(include_in_schema=False)
    Sees = Annotated[Visible, Depends(site.visible)]

    @router.get("/session")
    async def session(request: Request, query: Annotated[SessionPageQuery, Query()], sees: Sees) -> Response:
        return await session_page(site, request, query, sees)

    @router.get("/session/cards")
    async def cards(request: Request, query: Annotated[take.CardsQuery, Query()], sees: Sees) -> Response:
        return await cards_part(site, request, query, sees)

    @router.get("/session/timeline")
    async def timeline(
        request: Request, query: Annotated[take.TimelineQuery, Query()], sees: Sees
    ) -> Response:
        return await timeline_part(site, request, query, sees)

    @router.get("/session/search")
    async def search(request: Request, query: Annotated[SessionPageQuery, Query()], sees: Sees) -> Response:
        return await search_part(site, request, query, sees)

    @router.get("/traces/{trace_id}")
    async def trace(
        trace_id: str, request: Request, query: Annotated[TracePageQuery, Query()], sees: Sees
    ) -> Response:
        return await trace_page(site, request, trace_id, query, sees)

    @router.get("/traces/{trace_id}/steps")
    async def steps(
        trace_id: str, request: Request, query: Annotated[take.TraceQuery, Query()], sees: Sees
    ) -> Response:
        return await steps_part(site, request, trace_id, query, sees)

    @router.get("/traces/{trace_id}/text")
    async def text(
        trace_id: str, request: Request, query: Annotated[WholeTextQuery, Query()], sees: Sees
    ) -> Response:
        return await whole_text_part(site, request, trace_id, query, sees)

    @router.get("/traces/{trace_id}/spans/{span_id}")
    async def span(
        trace_id: str,
        span_id: str,
        request: Request,
        query: Annotated[take.TraceQuery, Query()],
        sees: Sees,
    ) -> Response:
        return await span_part(site, request, trace_id, span_id, query, sees)

    @router.get("/traces/{trace_id}/spans/{span_id}/explanation")
    async def explanation(
        trace_id: str,
        span_id: str,
        request: Request,
        query: Annotated[take.TraceQuery, Query()],
        sees: Sees,
    ) -> Response:
        return await explanation_part(site, request, trace_id, span_id, query, sees)

    return router
