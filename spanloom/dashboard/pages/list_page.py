"""The lists: sessions and traces. Two tabs of one page, which differ in their columns and their queries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.api.errors import BadQuery
from spanloom.dashboard.api.exports import MOST_ROWS, sessions_file, traces_file
from spanloom.dashboard.api.parameters import Paged, SessionsQuery, TracesQuery
from spanloom.dashboard.exports.tables import TableFormat
from spanloom.dashboard.pages.bars import Bars, bars
from spanloom.dashboard.pages.columns import SESSION_COLUMNS, TRACE_COLUMNS, Column
from spanloom.dashboard.pages.view import RANGES, View, address, read_view
from spanloom.dashboard.web.failures import PART
from spanloom.dashboard.web.site import Site
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.errors import Unavailable
from spanloom.warehouse.queries.answers import SessionPage, TracePage
from spanloom.warehouse.queries.ask import TooBig
from spanloom.warehouse.queries.overview.histogram import Kind, histogram
from spanloom.warehouse.queries.sessions.list import list_sessions
from spanloom.warehouse.queries.traces.list import list_traces


@dataclass(frozen=True)
class Tab:
    """One of the two lists."""

    kind: Kind
    path: str
    label: str
    query: type[Paged]
    columns: tuple[Column, ...]
    rows: Callable[[Warehouse, Any, Visible], Awaitable[SessionPage | TracePage]]


async def _sessions(warehouse: Warehouse, query: SessionsQuery, sees: Visible) -> SessionPage:
    return await list_sessions(
        warehouse, query.filter(sees), query.sort, query.order, query.limit, query.cursor
    )


async def _traces(warehouse: Warehouse, query: TracesQuery, sees: Visible) -> TracePage:
    return await list_traces(
        warehouse, query.filter(sees), query.sort, query.order, query.limit, query.cursor
    )


SESSIONS = Tab("sessions", "/sessions", "Sessions", SessionsQuery, SESSION_COLUMNS, _sessions)
TRACES = Tab("traces", "/traces", "Traces", TracesQuery, TRACE_COLUMNS, _traces)


async def list_page(site: Site, tab: Tab, request: Request, sees: Visible) -> Response:
    """Answer `/sessions` or `/traces`: the page, or with the header `spanloom-part` the list alone.

    A page whose list can't be had is shown all the same, with the reason and with its filters, and recovers by
    itself; the list alone is answered with an error then.

    Raises:
        BadQuery: the address makes no sense.
    """
    parameters = request.query_params.multi_items()
    if any(not value.strip() for _, value in parameters):  # a form sends its empty fields along
        return RedirectResponse(address(tab.path, ((k, v) for k, v in parameters if v.strip())), 303)
    view = read_view(tab.path, tab.query, parameters, datetime.now(UTC))
    alone = PART in request.headers
    try:
        result = await _result(site, tab, view, sees)
        projects = () if alone else await site.projects.of(sees)
        trouble: Exception | None = None
    except (Unavailable, TooBig) as error:
        if alone:
            raise
        result, projects, trouble = None, (), error
    context = {
        "tab": tab,
        "tabs": (SESSIONS, TRACES),
        "view": view,
        "ranges": tuple(RANGES),
        "projects": projects,
        "trouble": str(trouble) if trouble else "",
        "away": isinstance(trouble, Unavailable),
        "result": result,
        "most_rows": MOST_ROWS,
        "otlp_url": site.settings.otlp_url,
        "granted": None if sees is None else sorted(sees),
    }
    status = 200 if trouble is None else 503 if isinstance(trouble, Unavailable) else 422
    return site.page(request, "list_part.html" if alone else "list.html", status, **context)


async def list_file(site: Site, tab: Tab, request: Request, sees: Visible) -> Response:
    """Answer `/sessions/export` or `/traces/export`: the list of an address as a file.

    Raises:
        BadQuery: the address makes no sense.
    """
    parameters = [pair for pair in request.query_params.multi_items() if pair[0] != "format"]
    form = request.query_params.get("format", "")
    if form not in get_args(TableFormat):
        raise BadQuery(f"The parameter 'format' is wrong: use one of {', '.join(get_args(TableFormat))}")
    query: Any = read_view(tab.path, tab.query, parameters, datetime.now(UTC)).query
    write: Any = sessions_file if tab.kind == "sessions" else traces_file
    answer: Response = await write(
        site.warehouse,
        query.filter(sees),
        query.sort,
        query.order,
        form,
    )
    return answer


@dataclass(frozen=True)
class Result:
    """What the list shows.

    Attributes:
        count: all that matches, which may be more than the rows; None where that took too long to count.
        any_data: whether there is anything at all that the caller may see; only known to be false without rows.
    """

    rows: list[Any]
    columns: tuple[Column, ...]
    next: str | None
    charts: Bars | None
    count: int | None
    any_data: bool


async def _result(site: Site, tab: Tab, view: View[Any], sees: Visible) -> Result:
    page, counts = await asyncio.gather(
        tab.rows(site.warehouse, view.query, sees),
        _counts(site.warehouse, tab.kind, view, sees),
    )
    projects = await site.projects.of(sees)
    several = len(projects) > 1 and view.query.project is None
    return Result(
        rows=list(page.rows),
        columns=tuple(column for column in tab.columns if several or column.sort != "project_id"),
        next=page.next,
        charts=None if counts is None or not counts.buckets else bars(counts, tab.label),
        count=None if counts is None else sum(bucket.count for bucket in counts.buckets),
        any_data=bool(page.rows) or await site.projects.any_data(sees),
    )


async def _counts(warehouse: Warehouse, kind: Kind, view: View[Any], sees: Visible) -> Any:
    try:
        return await histogram(warehouse, kind, view.query.filter(sees), datetime.now(UTC))
    except TooBig:
        return None  # the rows may still be had
