"""What went wrong: JSON for the API, a page for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from spanloom.dashboard.access.identity import Forbidden, NotLoggedIn
from spanloom.dashboard.api.errors import BadQuery, Failure, NotThere, install_errors, sentence
from spanloom.dashboard.web.headers import HEADERS
from spanloom.dashboard.web.site import Site
from spanloom.warehouse.errors import Unavailable, WarehouseError
from spanloom.warehouse.queries.keyset import BadCursor
from spanloom.warehouse.queries.sessions.page import Ambiguous

PART = "spanloom-part"
"""The header of a script's request for a part of a page."""

_Handler = Callable[[Request, Exception], Awaitable[Response]]

_TITLES = {
    403: "You may not look",
    404: "Not found",
    409: "Which one?",
    422: "That can't be asked",
    503: "ClickHouse is away",
}


def install_failures(app: FastAPI, site: Site) -> None:
    """Have an app answer every error of the API's and its own, each in the form that the path asks for."""
    install_errors(app)
    as_json: dict[Any, Any] = dict(app.exception_handlers)

    async def not_there(_: Request, error: HTTPException) -> Response:
        reason = {404: "There is nothing here", 405: "This can't be done here"}.get(error.status_code)
        body = Failure(error=reason or str(error.detail)).model_dump()
        return JSONResponse(body, error.status_code, error.headers)

    async def not_logged_in(*_: object) -> Response:
        return JSONResponse(Failure(error="Log in first").model_dump(), 401)

    async def forbidden(_: Request, error: Exception) -> Response:
        return JSONResponse(Failure(error=str(error)).model_dump(), 403)

    async def broken(*_: object) -> Response:
        # Outside of all middleware, so it brings its own headers.
        body = Failure(error="The dashboard has a fault; its log says which").model_dump()
        return JSONResponse(body, 500, HEADERS)

    async def hung_up(*_: object) -> Response:
        return Response(status_code=400)  # to nobody: it is no fault, and not logged as one

    app.add_exception_handler(ClientDisconnect, hung_up)
    as_json |= {
        HTTPException: not_there,
        NotLoggedIn: not_logged_in,
        Forbidden: forbidden,
        Exception: broken,
    }
    for kind, handler in as_json.items():
        if isinstance(kind, type) and issubclass(kind, Exception):
            app.add_exception_handler(kind, _by_path(site, handler))


def _by_path(site: Site, as_json: _Handler) -> _Handler:
    async def answer(request: Request, error: Exception) -> Response:
        json_answer = await as_json(request, error)
        if request.url.path.startswith(("/api/", "/static/")) or PART in request.headers:
            return json_answer
        if isinstance(error, NotLoggedIn):
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?{urlencode({'next': asked})}", 303)
        page = site.page(
            request,
            "failure.html",
            json_answer.status_code,
            title=_TITLES.get(json_answer.status_code, "That did not work"),
            reason=_reason(error),
            away=isinstance(error, Unavailable),
        )
        for name in ("retry-after", *HEADERS):
            if name in json_answer.headers:
                page.headers[name] = json_answer.headers[name]
        return page

    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, RequestValidationError):
        return sentence(error)
    if isinstance(error, HTTPException):
        return "There is no page at this address" if error.status_code == 404 else str(error.detail)
    if isinstance(
        error, WarehouseError | Unavailable | NotThere | BadQuery | Ambiguous | BadCursor | Forbidden
    ):
        return str(error)
    return "The dashboard has a fault; its log says which."
