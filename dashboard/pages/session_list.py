"""The tab Sessions: every session that overlaps the range, with its whole totals."""

from __future__ import annotations

from fastapi import Request, Response

from dashboard.api.parameters import SessionsQuery
from dashboard.api.routes import Visible
from dashboard.site import Site
from warehouse.session_list import list_sessions


async def session_list_page(site: Site, request: Request, sees: Visible) -> Response:
    """Answer `/sessions`."""
    query = SessionsQuery()
    page = await list_sessions(site.warehouse, query.filter(sees), query.sort, query.order, query.limit)
    return site.page(request, "session_list.html", rows=page.rows)
