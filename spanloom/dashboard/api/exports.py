"""What people take along: a list as CSV, JSON lines or Parquet, a session as Markdown or JSON, a trace as OTLP.

Each is streamed: few rows or spans are in memory at once, every query has the limits of all others, and what takes time
is done in threads.
"""

# No `from __future__ import annotations`: FastAPI would look for `Sees` among the module's names.
import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from spanloom.dashboard.access.projects import Visible, VisibleProjects
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.api.errors import STATUSES, NotThere
from spanloom.dashboard.exports.download import Download, download, file_name
from spanloom.dashboard.exports.session_json import SessionJson
from spanloom.dashboard.exports.session_markdown import SessionMarkdown
from spanloom.dashboard.exports.tables import MEDIA_TYPES, TableFormat, table_file
from spanloom.spans.reading.stored.otlp import as_json, as_protobuf
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.answers import SessionListRow, TraceListRow
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.keyset import Order
from spanloom.warehouse.queries.sessions.list import SessionSort, all_sessions, count_sessions
from spanloom.warehouse.queries.sessions.page import session_detail
from spanloom.warehouse.queries.traces.list import TraceSort, all_traces, count_traces
from spanloom.warehouse.queries.traces.tree import find_trace
from spanloom.warehouse.queries.traces.whole import (
    MOST_SPANS,
    TracePart,
    count_spans,
    stored_rows,
    whole_session,
)

MOST_ROWS = 100_000
"""Rows of a list that a file holds at most."""

LEFT_OFF = "Spanloom-Left-Off"
"""The header that says how many rows of a list, or spans of a trace, are not in a file because it has its bound."""

_Format = Annotated[TableFormat, Field(description="Of the file.")]


class SessionsExport(take.Narrowed):
    """Which sessions: all that overlap the range."""

    sort: SessionSort = "end_time"
    order: Order = "desc"
    format: _Format


class TracesExport(take.Narrowed):
    """Which traces: all that overlap the range."""

    sort: TraceSort = "start_time"
    order: Order = "desc"
    format: _Format


class SessionExport(take.SessionQuery):
    """Which session."""

    format: Literal["markdown", "json"] = Field(description="Of the file.")


class TraceExport(take.TraceQuery):
    """Where the trace is."""

    format: Literal["json", "protobuf"] = Field(
        "json", description="Of the file: OTLP/JSON, or its protobuf."
    )


def _file(what: str, *media_types: str, left_off: str = "") -> dict[int | str, dict[str, Any]]:
    """The answer for the OpenAPI document."""
    kinds = {
        kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in media_types
    }
    answer: dict[str, Any] = {"description": what, "content": kinds}
    if left_off:
        answer["headers"] = {LEFT_OFF: {"description": left_off, "schema": {"type": "integer"}}}
    return {200: answer}


_LIST_FILE = _file("The file.", *MEDIA_TYPES.values(), left_off=f"Rows behind the first {MOST_ROWS:,}.")
_SESSION_FILE = _file("The file. Its end says what was left off.", "text/markdown", "application/json")
_TRACE_FILE = _file(
    "The file.",
    "application/json",
    "application/x-protobuf",
    left_off=f"Spans behind the first {MOST_SPANS:,}.",
)


def exports_router(warehouse: Warehouse, visible_projects: VisibleProjects) -> APIRouter:
    """Return the routes of files, for a router with the prefix `/api`."""
    router = APIRouter(prefix="/api", tags=["spanloom"], responses=STATUSES, default_response_class=Response)
    Sees = Annotated[Visible, Depends(visible_projects)]

    @router.get("/sessions/export", responses=_LIST_FILE)
    async def sessions(query: Annotated[SessionsExport, Query()], sees: Sees) -> Response:
        """The list of sessions as a file: at most 100,000 rows, in its order."""
        return await sessions_file(warehouse, query.filter(sees), query.sort, query.order, query.format)

    @router.get("/traces/export", responses=_LIST_FILE)
    async def traces(query: Annotated[TracesExport, Query()], sees: Sees) -> Response:
        """The list of traces as a file: at most 100,000 rows, in its order."""
        return await traces_file(warehouse, query.filter(sees), query.sort, query.order, query.format)

    @router.get("/session/export", responses=_SESSION_FILE)
    async def session(query: Annotated[SessionExport, Query()], sees: Sees) -> Response:
        """A session as a file to read (Markdown), or with all that its spans carried (JSON): at most 50,000 spans."""
        detail = await session_detail(warehouse, query.id, query.project, sees)
        if detail is None:
            raise NotThere("There is no such session, or none that you may see")
        form: _SessionFile = SessionJson(detail) if query.format == "json" else SessionMarkdown(detail)
        parts = whole_session(warehouse, query.id, detail.project_id)
        ending, media_type = (
            ("json", "application/json") if query.format == "json" else ("md", "text/markdown; charset=utf-8")
        )
        name = file_name("session", detail.session_id, ending)
        return await download(_session_chunks(form, parts), name, media_type)

    @router.get("/traces/{trace_id}/otlp", responses=_TRACE_FILE)
    async def otlp(trace_id: str, query: Annotated[TraceExport, Query()], sees: Sees) -> Response:
        """A trace as OTLP, made of what is stored of its spans: at most 50,000."""
        project = await find_trace(warehouse, trace_id, query.project, sees)
        spans = 0 if project is None else await count_spans(warehouse, project, trace_id)
        if project is None or not spans:
            raise NotThere("There is no such trace, or none that you may see")
        rows = stored_rows(warehouse, project, trace_id)
        headers = {LEFT_OFF: str(max(0, spans - MOST_SPANS))}
        if query.format == "json":
            name = file_name("trace", trace_id.lower(), "otlp.json")
            return await download(_otlp_json(rows), name, "application/json", headers)
        name = file_name("trace", trace_id.lower(), "otlp.pb")
        return await download(_otlp_protobuf(rows), name, "application/x-protobuf", headers)

    return router


async def sessions_file(
    warehouse: Warehouse, wanted: Filter, sort: SessionSort, order: Order, form: TableFormat
) -> Download:
    """The list of sessions as a file. Raises what `ask` raises."""
    count = await count_sessions(warehouse, wanted)
    rows = all_sessions(warehouse, wanted, sort, order, MOST_ROWS)
    return await _list_file("sessions", rows, SessionListRow, count, form)


async def traces_file(
    warehouse: Warehouse, wanted: Filter, sort: TraceSort, order: Order, form: TableFormat
) -> Download:
    """The list of traces as a file. Raises what `ask` raises."""
    count = await count_traces(warehouse, wanted)
    rows = all_traces(warehouse, wanted, sort, order, MOST_ROWS)
    return await _list_file("traces", rows, TraceListRow, count, form)


async def _list_file(
    kind: str,
    rows: AsyncIterator[list[Any]],
    model: type[BaseModel],
    count: int,
    form: TableFormat,
) -> Download:
    what = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    if count > MOST_ROWS:  # a name stays with the file, a header does not
        what += f"-first-{MOST_ROWS}-of-{count}"
    headers = {LEFT_OFF: str(max(0, count - MOST_ROWS))}
    chunks = _table_chunks(rows, model, form)
    return await download(chunks, file_name(kind, what, form), MEDIA_TYPES[form], headers)


async def _table_chunks(
    rows: AsyncIterator[list[Any]], model: type[BaseModel], form: TableFormat
) -> AsyncIterator[bytes]:
    file = table_file(form, model)
    async for some in rows:
        if chunk := await asyncio.to_thread(file.rows, some):
            yield chunk
    yield await asyncio.to_thread(file.end)


class _SessionFile(Protocol):
    def begin(self) -> str: ...

    def part(self, part: TracePart) -> str: ...

    def end(self) -> str: ...


async def _session_chunks(file: _SessionFile, parts: AsyncIterator[TracePart]) -> AsyncIterator[bytes]:
    yield file.begin().encode()
    async for part in parts:
        if text := await asyncio.to_thread(file.part, part):
            yield text.encode()
    yield file.end().encode()


_StoredRows = AsyncIterator[list[Mapping[str, Any]]]


async def _otlp_json(rows: _StoredRows) -> AsyncIterator[bytes]:
    between = '{"resourceSpans":[\n'
    async for some in rows:
        if chunk := await asyncio.to_thread(as_json, some):
            yield f"{between}{chunk}".encode()
            between = ",\n"
    yield b"\n]}\n" if between == ",\n" else b'{"resourceSpans":[]}\n'


async def _otlp_protobuf(rows: _StoredRows) -> AsyncIterator[bytes]:
    async for some in rows:
        yield await asyncio.to_thread(as_protobuf, some)
