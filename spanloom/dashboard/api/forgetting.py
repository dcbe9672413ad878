"""Forgetting: requests, which are written to Kafka for `spanloom forgetter`, and what became of them.

The dashboard only asks: it has no right to delete anything. Whether somebody may ask is looked at before anything else,
so nobody learns whether a project, a session or a request is there that is none of theirs.
"""

# No `from __future__ import annotations`: FastAPI would look for `Asks` among the module's names.
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator
from starlette.exceptions import HTTPException

from spanloom.dashboard.access.identity import Forbidden, Identity
from spanloom.dashboard.access.tickets import TICKET, Tickets
from spanloom.dashboard.api.errors import STATUSES, BadQuery, Failure, NotThere
from spanloom.dashboard.api.parameters import Id, Text
from spanloom.forgetting.requests import NotTaken, Requests
from spanloom.forgetting.requests import Request as Wanted
from spanloom.forgetting.selection import KINDS, Kind, Selection, SelectionError, count_query
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.erasures import Erasure, find_erasure

_LARGEST = 64 * 1024  # bytes of a body

_OFF = (
    "This dashboard takes no requests to forget: set SPANLOOM_DASHBOARD__FORGET=true and"
    " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
)

_Project = Annotated[Text, Field(min_length=1)]


class ToForget(BaseModel):
    """What to forget: a project, and one of session, user, trace and before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: _Project
    session: Id | None = Field(None, description="The ID of a session, whole.")
    user: Id | None = Field(None, description="A user ID: every trace of which a span names the user.")
    trace: Text | None = Field(None, description="A trace ID.")
    before: Text | None = Field(
        None, description="A date or time in ISO 8601, UTC where it names no zone: traces that ended before."
    )
    dry_run: StrictBool = Field(False, description="Only say how much it would be.")

    @model_validator(mode="after")
    def _one(self) -> "ToForget":
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError("say what to forget: one of session, user, trace and before")
        return self

    def selection(self) -> Selection:
        """What it means. Raises `BadQuery`."""
        kind: Kind = next(kind for kind in KINDS if getattr(self, kind) is not None)
        try:
            return Selection.of(self.project, kind, getattr(self, kind))
        except SelectionError as error:
            raise BadQuery(str(error)) from None


class Amount(BaseModel):
    """What a request would forget now."""

    dry_run: bool = True
    traces: int
    spans: int
    sessions: int


_RESPONSES: dict[int | str, dict[str, Any]] = {
    **STATUSES,
    403: {"model": Failure, "description": "You may not have anything forgotten in this project."},
    413: {"model": Failure, "description": "The body is too large."},
    415: {"model": Failure, "description": "The body is not JSON."},
    501: {"model": Failure, "description": "This dashboard takes no requests to forget."},
    503: {"model": Failure, "description": "ClickHouse or Kafka is away: try again."},
}

_BODY = {
    "required": True,
    "content": {"application/json": {"schema": ToForget.model_json_schema()}},
}


def forget_router(
    warehouse: Warehouse,
    identify: Callable[[Request], Awaitable[Identity]],
    tickets: Tickets,
    requests: Requests | None,
) -> APIRouter:
    """Return the routes; needs `install_failures` on the app.

    Args:
        identify: asked once a request.
        requests: where to write them; None: nowhere, and all routes say so.
    """
    router = APIRouter(prefix="/api", tags=["spanloom"], responses=_RESPONSES)
    Asks = Annotated[Identity, Depends(identify)]

    @router.post(
        "/forget",
        response_model=Erasure,
        status_code=202,
        responses={200: {"model": Amount, "description": "How much it would be."}},
        openapi_extra={"requestBody": _BODY},
    )
    async def forget(request: Request, who: Asks) -> Response:
        """Have something forgotten, or with `dry_run` see how much that would be.

        The answer names the request: ask for it until it is `done`.
        """
        sender = _on(requests)
        asked = await _body(request)
        _allow(who, asked.project)
        selection = asked.selection()
        if asked.dry_run:
            [row] = await ask(warehouse, "count what is to be forgotten", *count_query(selection))
            return JSONResponse(Amount(**row).model_dump())
        ticket = tickets.new(asked.project)
        try:
            await sender.append(Wanted(ticket, who.name, selection))
        except NotTaken as error:
            raise HTTPException(503, str(error), {"Retry-After": "5"}) from None
        waiting = Erasure(id=ticket, project=asked.project, status="waiting", kind=selection.kind)
        return JSONResponse(waiting.model_dump(mode="json"), 202)

    @router.get("/forget/{ticket}", response_model=Erasure)
    async def erasure(
        ticket: Annotated[str, Path(pattern=TICKET)], project: Annotated[_Project, Query()], who: Asks
    ) -> Response:
        """What became of a request: `waiting`, `running`, `done` or `failed`."""
        _on(requests)
        _allow(who, project)
        found = await find_erasure(warehouse, ticket, project)
        if found is None and tickets.is_of(ticket, project):
            found = Erasure(id=ticket, project=project, status="waiting")
        if found is None:
            raise NotThere("There is no such request, or none that you may see")
        return JSONResponse(found.model_dump(mode="json"))

    return router


def _on(requests: Requests | None) -> Requests:
    if requests is None:
        raise HTTPException(501, _OFF)
    return requests


def _allow(who: Identity, project: str) -> None:
    """Return if they may have data of a project forgotten. Raises `Forbidden`, whether or not the project is there."""
    if not who.may_forget(project):
        raise Forbidden("You may not have anything forgotten in this project")


async def _body(request: Request) -> ToForget:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON, with Content-Type: application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise HTTPException(413, f"A request to forget has at most {_LARGEST:,} bytes")
    try:
        return ToForget.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
        if mistakes[0]["loc"]:
            raise RequestValidationError(mistakes) from None
        if mistakes[0]["type"] == "value_error":
            raise BadQuery(mistakes[0]["msg"].removeprefix("Value error, ")) from None
        raise BadQuery("The body is no JSON object") from None
