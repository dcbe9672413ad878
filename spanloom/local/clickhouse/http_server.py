"""ClickHouse's HTTP interface in front of the in-process engine.

Enough of https://clickhouse.com/docs/interfaces/http for clickhouse-connect, curl and Grafana. What is
left out, because one person on one laptop has no use for it: users and quotas (any name and password is
taken), roles, progress headers, and results that are sent before the query has ended.
"""

from __future__ import annotations

import asyncio
import functools
import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from spanloom.browsers import is_foreign, names_loopback
from spanloom.local.clickhouse.engine import Answer, Engine, EngineError, Request
from spanloom.local.clickhouse.http_bodies import BodyError, choose_encoding, decode_body, encode_body
from spanloom.local.clickhouse.http_form import Form, read_form
from spanloom.local.clickhouse.native_blocks import pack_blocks, unpack_blocks
from spanloom.local.clickhouse.native_revision import UnknownNativeType, at_revision
from spanloom.local.clickhouse.refused import refused
from spanloom.local.clickhouse.statement import Statement, StatementError, parse_statement

# What the interface itself understands; everything else in the URL is a setting of the query.
_NOT_SETTINGS = frozenset(
    (
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "compress",
        "decompress",
        "quota_key",
        "role",
        "stacktrace",
        "buffer_size",
        "wait_end_of_query",
        "client_protocol_version",
        "http_response_headers",
        "enable_http_compression",
        "http_zlib_compression_level",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "add_http_cors_header",
        "cancel_http_readonly_queries_on_client_close",
        "http_make_head_request",
    )
)

# ClickHouse's exceptionCodeToHTTPStatus; everything else is 500.
_STATUS_OF_CODE = (
    {194: 401, 192: 403, 193: 403, 497: 403, 512: 403, 516: 403, 229: 413, 381: 411, 159: 408, 48: 501}
    | {76: 503, 209: 503, 439: 503, 779: 415}
    | dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511), 404)
    | dict.fromkeys((6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168), 400)
    | dict.fromkeys((223, 321, 376, 427, 441, 675, 676), 400)
)

_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONStrings": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSONCompactEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "HTML": "text/html; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
}

_READING = frozenset(("", "SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"))
"""How statements begin that GET may bring; empty: with a bracket. The engine's `readonly` lets SYSTEM and KILL pass."""

_FROM_ELSEWHERE = (
    "This database answers programs of this machine, by the names 127.0.0.1 and localhost, and no page of another site."
    " (ACCESS_DENIED)"
)

_SAFE_HEADERS = {
    # What is answered is data, whatever page asks for it as a script, a style or a picture.
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# A worker writes about 20 MB at a time; this is only there so that a mistake can't fill the memory.
MAX_BODY_BYTES = 1 << 30


class ClickHouseHttp:
    """The request handlers over one `Engine`.

    Statements run in threads: inserts and selects in pools of their own, so that no number of slow
    SELECTs can make an INSERT wait for a thread, and `/ping` needs none.
    """

    def __init__(self, engine: Engine, threads: int = 16) -> None:
        self._engine = engine
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="select")
        self._writers = ThreadPoolExecutor(threads, thread_name_prefix="insert")

    def application(self) -> web.Application:
        """The aiohttp application. Run it with `auto_decompress=False`: bodies are decoded here."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/ping", _ok)
        app.router.add_get("/replicas_status", _ok)
        app.router.add_route("GET", "/", self._query)
        app.router.add_route("POST", "/", self._query)
        app.router.add_route("*", "/{path:.*}", _no_handle)
        return app

    async def _query(self, request: web.Request) -> web.Response:
        url = dict(request.query)
        # It goes back in a header, where no line may end.
        query_id = "".join(filter(str.isprintable, url.get("query_id", ""))) or str(uuid.uuid4())
        headers = {
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": self._engine.timezone,
            "X-ClickHouse-Server-Display-Name": self._engine.display_name,
            **_SAFE_HEADERS,
        }
        if not names_loopback(request.headers) or is_foreign(request.headers):
            return _failure(_denied(497, _FROM_ELSEWHERE), headers)
        if request.method == "GET" and not url.get("query") and not request.can_read_body:
            return web.Response(text="Ok.\n", headers=headers)
        try:
            form = await read_form(request)
            body = b"" if form else await request.read()
            if form:
                url |= form.fields
            work = functools.partial(self._answer, url, body, form, request.headers, request.method)
            # The pool is chosen by a glance; a wrong guess costs nothing but its thread.
            start = url["query"].encode() if url.get("query") else body[:200]
            writes = start.lstrip()[:6].upper() == b"INSERT"
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._writers if writes else self._readers, functools.partial(work, headers)
            )
        except EngineError as error:
            return _failure(error, headers)

    def _answer(
        self,
        url: Mapping[str, str],
        body: bytes,
        form: Form | None,
        request_headers: Mapping[str, str],
        method: str,
        headers: dict[str, str],
    ) -> web.Response:
        """Everything between the received and the sent bytes. Runs in a thread. Raises `EngineError`."""
        try:
            if encoding := request_headers.get("Content-Encoding", ""):
                body = decode_body(body, encoding)
            if url.get("decompress") == "1":
                body = unpack_blocks(body)
        except BodyError as error:
            raise EngineError(271, f"Code: 271. DB::Exception: {error} (CANNOT_DECOMPRESS)") from None
        statement, body = _parse(url.get("query", "").encode(), body)
        output_format = (
            statement.format
            or request_headers.get("X-ClickHouse-Format")
            or url.get("default_format")
            or "TabSeparated"
        )
        for table in form.tables if form else ():
            _check(f"({table.structure}) {table.format}")
        settings = {k: v for k, v in url.items() if k not in _NOT_SETTINGS and not k.startswith("param_")}
        if form:
            settings = {k: v for k, v in settings.items() if not form.describes_table(k)}
        if method == "GET":
            # GET changes nothing, whatever the address says: a page can make a browser send one.
            if statement.verb not in _READING:
                raise _denied(164, f"GET only reads: send {statement.verb} with POST. (READONLY)")
            settings["readonly"] = "1" if settings.get("readonly") == "1" else "2"
        answer = self._engine.run(
            Request(
                statement=statement,
                body=body,
                format=output_format,
                database=url.get("database") or request_headers.get("X-ClickHouse-Database", ""),
                settings=settings,
                parameters={k[6:]: v for k, v in url.items() if k.startswith("param_")},
                external_tables=form.tables if form else (),
            )
        )
        data = answer.data
        if output_format == "Native" and (revision := url.get("client_protocol_version", "")).isdigit():
            try:
                data = at_revision(data, int(revision))
            except UnknownNativeType as error:
                raise EngineError(48, f"Code: 48. DB::Exception: {error}. (NOT_IMPLEMENTED)") from None
        headers["X-ClickHouse-Summary"] = _summary(answer)
        headers["X-ClickHouse-Format"] = output_format
        headers["Content-Type"] = _CONTENT_TYPES.get(output_format, "text/plain; charset=UTF-8")
        if url.get("compress") == "1":
            data = pack_blocks(data)
        elif url.get("enable_http_compression", "0") in ("1", "true"):
            wanted = choose_encoding(request_headers.get("Accept-Encoding", ""))
            data, used = encode_body(data, wanted)
            if used:
                headers["Content-Encoding"] = used
        return web.Response(body=data, headers=headers)


def _parse(query: bytes, body: bytes) -> tuple[Statement, bytes]:
    """The statement of a request and what is left of its body as data. Raises `EngineError`."""
    try:
        if not query:
            statement, body = parse_statement(body), b""
        else:
            statement = parse_statement(query)
            if statement.data is None and body:
                # As in ClickHouse, a statement may be split between the URL and the body.
                statement, body = parse_statement(query + b"\n" + body), b""
    except StatementError as error:
        raise EngineError(error.code, f"Code: {error.code}. DB::Exception: {error}.") from None
    _check(statement.sql)
    return statement, body


def _check(sql: str) -> None:
    if what := refused(sql.encode()):
        raise _denied(
            497,
            f"{what} is off in the local database: use a ClickHouse server of your own for it. (ACCESS_DENIED)",
        )


def _denied(code: int, reason: str) -> EngineError:
    return EngineError(code, f"Code: {code}. DB::Exception: {reason}")


async def _ok(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _no_handle(request: web.Request) -> web.Response:
    text = f"There is no handle {request.path}\nUse / or /ping for health checks.\n"
    return web.Response(status=404, text=text)


def _failure(error: EngineError, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        status=_STATUS_OF_CODE.get(error.code, 500),
        text=f"{error}\n",
        headers={**headers, "X-ClickHouse-Exception-Code": str(error.code)},
    )


def _summary(answer: Answer) -> str:
    return json.dumps(
        {
            "read_rows": str(answer.read_rows),
            "read_bytes": str(answer.read_bytes),
            "written_rows": str(answer.written_rows),
            "written_bytes": str(answer.written_bytes),
            "total_rows_to_read": str(answer.read_rows),
            "result_rows": str(answer.result_rows),
            "result_bytes": str(len(answer.data)),
            "elapsed_ns": str(answer.elapsed_ns),
        },
        separators=(",", ":"),
    )
