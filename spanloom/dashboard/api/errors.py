"""What went wrong, as a status and one sentence: `{"error": "…"}`."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from spanloom.warehouse.errors import Unavailable, WarehouseError
from spanloom.warehouse.queries.ask import TooBig
from spanloom.warehouse.queries.keyset import BadCursor
from spanloom.warehouse.queries.sessions.page import Ambiguous

SECONDS_TO_RETRY = 5
"""What an answer asks the client to wait while ClickHouse is away."""


class Failure(BaseModel):
    """The body of every answer that is not 200."""

    error: str = Field(description="One sentence.")


class NotThere(Exception):
    """Nothing that the caller may see has this ID."""


class BadQuery(Exception):
    """The parameters make no sense together."""


STATUSES: dict[int | str, dict[str, object]] = {
    404: {"model": Failure, "description": "Nothing that you may see has this ID."},
    409: {"model": Failure, "description": "Several projects have this ID: name one."},
    422: {"model": Failure, "description": "A parameter is wrong, or the query is too big."},
    500: {"model": Failure, "description": "ClickHouse refused the query."},
    503: {"model": Failure, "description": "ClickHouse is away or overloaded: try again."},
}
"""For the OpenAPI document."""


def install_errors(app: FastAPI) -> None:
    """Have an app answer the API's errors; pages may install their own handlers for the same exceptions."""

    @app.exception_handler(RequestValidationError)
    async def wrong_parameter(_: Request, error: RequestValidationError) -> JSONResponse:
        return _answer(422, sentence(error))

    for kind, status in (
        (NotThere, 404),
        (Ambiguous, 409),
        (BadQuery, 422),
        (BadCursor, 422),
        (TooBig, 422),
        (WarehouseError, 500),
    ):

        @app.exception_handler(kind)
        async def failed(_: Request, error: Exception, status: int = status) -> JSONResponse:
            return _answer(status, str(error))

    @app.exception_handler(Unavailable)
    async def away(_: Request, error: Unavailable) -> JSONResponse:
        return _answer(503, str(error), {"Retry-After": str(SECONDS_TO_RETRY)})


def sentence(error: RequestValidationError) -> str:
    """The first mistake in one sentence, without the value."""
    first = error.errors()[0]
    name = next((str(part) for part in reversed(first["loc"]) if isinstance(part, str)), "")
    if first["type"] == "extra_forbidden":
        return f"There is no parameter {name[:100]!r}"
    return f"The parameter {name[:100]!r} is wrong: {first['msg'].removeprefix('Value error, ')}"


def _answer(status: int, reason: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": reason}, status, headers)
