"""The routes: each asks the warehouse one thing.

A session ID may hold any characters, slashes too, which proxies decode or fold in a path: so it is the
parameter `id`, never a part of the path. Trace and span IDs are hexadecimal digits and stand in the path.
"""

# No `from __future__ import annotations`: FastAPI would look for `Sees` among the module's names.
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from spanloom.dashboard.access.projects import Visible, VisibleProjects, everything
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.api.errors import STATUSES, BadQuery, NotThere
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries import answers
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.find import Hits, find
from spanloom.warehouse.queries.overview.facets import facets, projects
from spanloom.warehouse.queries.overview.histogram import histogram
from spanloom.warehouse.queries.sessions.list import list_sessions
from spanloom.warehouse.queries.sessions.page import find_session, session_cards, session_detail
from spanloom.warehouse.queries.sessions.search import SearchFilter, search_session
from spanloom.warehouse.queries.sessions.timeline import timeline
from spanloom.warehouse.queries.traces.list import list_traces
from spanloom.warehouse.queries.traces.tree import span_detail, trace_tree

_NO_SESSION = "There is no such session, or none that you may see"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Projects(BaseModel):
    """The projects that you may see."""

    projects: list[str]


class _Json(Response):
    media_type = "application/json"


def api_router(
    warehouse: Warehouse,
    visible_projects: VisibleProjects = everything,
    now: Callable[[], datetime] = _utc_now,
) -> APIRouter:
    """Return the API's routes, `/api/…`; needs `install_errors` on the app.

    Args:
        visible_projects: asked once a request; every query is held to its answer.
    """
    router = APIRouter(prefix="/api", tags=["spanloom"], responses=STATUSES)
    Sees = Annotated[Visible, Depends(visible_projects)]

    @router.get("/projects", response_model=Projects)
    async def list_of_projects(sees: Sees) -> Response:
        """The projects that have data and that you may see."""
        return _json(Projects(projects=await projects(warehouse, sees)))

    @router.get("/sessions", response_model=answers.SessionPage)
    async def sessions(query: Annotated[take.SessionsQuery, Query()], sees: Sees) -> Response:
        """Every session that overlaps the range, with its whole totals."""
        page = await list_sessions(
            warehouse, query.filter(sees), query.sort, query.order, query.limit, query.cursor
        )
        return _json(page)

    @router.get("/traces", response_model=answers.TracePage)
    async def traces(query: Annotated[take.TracesQuery, Query()], sees: Sees) -> Response:
        """Every trace that overlaps the range, with and without a session."""
        page = await list_traces(
            warehouse, query.filter(sees), query.sort, query.order, query.limit, query.cursor
        )
        return _json(page)

    @router.get("/histogram", response_model=answers.Histogram)
    async def counts(query: Annotated[take.HistogramQuery, Query()], sees: Sees) -> Response:
        """When the sessions or traces of a list started, what they cost, and how many of their spans failed."""
        return _json(await histogram(warehouse, query.kind, query.filter(sees), now()))

    @router.get("/facets", response_model=answers.Facets)
    async def values(query: Annotated[take.FacetsQuery, Query()], sees: Sees) -> Response:
        """The models, services, tags, users and projects that occur in the range."""
        wanted = Filter(visible=sees, project=query.project, since=query.since, until=query.until)
        return _json(await facets(warehouse, query.kind, wanted))

    @router.get("/find", response_model=Hits)
    async def hits(query: Annotated[take.FindQuery, Query()], sees: Sees) -> Response:
        """Sessions, traces, spans and users whose ID is, or begins with, a text.

        Sessions and traces of any age; spans that started in this month or the one before; users of sessions that were
        active in the last 30 days.
        """
        return _json(await find(warehouse, query.q, now(), query.project, sees))

    @router.get("/session", response_model=answers.SessionDetail)
    async def session(query: Annotated[take.SessionQuery, Query()], sees: Sees) -> Response:
        """A session's whole totals, users, tags, models, services and metadata."""
        detail = await session_detail(warehouse, query.id, query.project, sees)
        if detail is None:
            raise NotThere(_NO_SESSION)
        return _json(detail)

    @router.get("/session/traces", response_model=answers.TraceCards)
    async def cards(query: Annotated[take.CardsQuery, Query()], sees: Sees) -> Response:
        """A session's traces in order, each with what was asked and answered."""
        project = await _project_of(warehouse, query, sees)
        return _json(await session_cards(warehouse, query.id, project, query.limit, query.cursor))

    @router.get("/session/timeline", response_model=answers.Timeline)
    async def when(query: Annotated[take.TimelineQuery, Query()], sees: Sees) -> Response:
        """When each trace of a session ran, and its LLM calls, tools and errors inside it."""
        project = await _project_of(warehouse, query, sees)
        return _json(await timeline(warehouse, query.id, project, query.cursor))

    @router.get("/session/search", response_model=answers.SearchAnswer)
    async def search(query: Annotated[take.SearchQuery, Query()], sees: Sees) -> Response:
        """The traces and spans of a session that match, with the text around each hit.

        Goes through 50 traces at a time: `next` says where to go on, also where nothing matches.
        """
        if query.filter() == SearchFilter():
            raise BadQuery("Say what to look for: a text as q, or one of the filters")
        project = await _project_of(warehouse, query, sees)
        return _json(await search_session(warehouse, query.id, project, query.filter(), query.cursor))

    @router.get("/traces/{trace_id}", response_model=answers.TraceTree)
    async def trace(trace_id: str, query: Annotated[take.TraceQuery, Query()], sees: Sees) -> Response:
        """A trace and its spans, without heavy texts."""
        tree = await trace_tree(warehouse, trace_id, query.project, sees)
        if tree is None:
            raise NotThere("There is no such trace, or none that you may see")
        return _json(tree)

    @router.get("/traces/{trace_id}/spans/{span_id}", response_model=answers.SpanDetail)
    async def span(
        trace_id: str, span_id: str, query: Annotated[take.TraceQuery, Query()], sees: Sees
    ) -> Response:
        """A span with all that it carried."""
        detail = await span_detail(warehouse, trace_id, span_id, query.project, sees)
        if detail is None:
            raise NotThere("There is no such span, or none that you may see")
        return _json(detail)

    return router


async def _project_of(warehouse: Warehouse, query: take.SessionQuery, sees: Visible) -> str:
    project = await find_session(warehouse, query.id, query.project, sees)
    if project is None:
        raise NotThere(_NO_SESSION)
    return project


def _json(answer: BaseModel) -> Response:
    # Not through FastAPI's own way, which would check every value of 10,000 spans once more.
    return _Json(answer.model_dump_json())
