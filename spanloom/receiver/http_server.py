"""OTLP over HTTP: `POST /v1/traces`, protobuf or JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp_cors
from aiohttp import web

from spanloom.connections.aiohttp_server import serve
from spanloom.connections.guard import Guard
from spanloom.connections.tls import server_tls
from spanloom.receiver.export import Answer, Export
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.requests import bodies
from spanloom.receiver.requests.envelope import JSON, PROTOBUF
from spanloom.receiver.settings import ReceiverSettings
from spanloom.receiver.sharing.room import Held
from spanloom.receiver.sharing.thread import Thread
from spanloom.schemas import otlp_pb2

logger = logging.getLogger("spanloom.receiver")

PATHS = ("/v1/traces", "/api/public/otel/v1/traces")
"""Where traces are taken: OTLP's own path, and that of Langfuse's SDKs."""

_CONTENT_TYPES = {
    PROTOBUF: PROTOBUF,
    "application/protobuf": PROTOBUF,
    "application/octet-stream": PROTOBUF,
    "": PROTOBUF,
    JSON: JSON,
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ON_THE_LOOP = 1 << 18
"""Bytes up to which a body is unpacked on the event loop: a millisecond, which all that is under way waits for."""

_CHUNKS = 1024
"""Chunks of a body that are kept as such at most: each may be a single byte, which is an object of 34."""

_LITTLE = 8 << 20
"""Bytes that there is room for at first when a body is unpacked in the thread."""

_LAST_REQUESTS = 10.0
"""Seconds that requests under way have when the server stops."""


class HttpServer:
    """Serves OTLP/HTTP and a health endpoint, `GET /health`."""

    def __init__(self, settings: ReceiverSettings, export: Export) -> None:
        self._settings = settings
        self._export = export
        self._unpacking = Thread("receiver-unpack")
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: the port is taken, or a certificate can't be read.
        """
        app = web.Application(middlewares=[_in_words])
        routes = [app.router.add_post(path, self._traces) for path in PATHS]
        app.router.add_get("/health", _health)
        self._allow_browsers(app, routes)
        # Bodies stay as they are sent: how far they are unpacked is ours to decide.
        settings = self._settings
        self._runner = await serve(
            app,
            settings.host,
            settings.http_port,
            Guard("otlp_http", settings.count(), settings.head_timeout),
            idle_timeout=settings.idle_timeout,
            tls=server_tls(settings.tls_certfile, settings.tls_keyfile),
            auto_decompress=False,
            shutdown_timeout=_LAST_REQUESTS,
        )

    async def stop(self) -> None:
        """Take no more requests; those under way end first."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _allow_browsers(self, app: web.Application, routes: list[web.AbstractRoute]) -> None:
        if not self._settings.origins:
            return
        options: Any = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
            allow_headers="*", expose_headers=("Retry-After",), max_age=7200
        )
        cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(self._settings.origins, options))
        for route in routes:
            cors.add(route)

    async def _traces(self, request: web.Request) -> web.Response:
        content_type = _content_type(request)
        with self._export.request("http", request.headers) as held:
            if content_type is None:
                raise Refused(Reason.UNKNOWN_ENCODING, f"The content type must be {PROTOBUF} or {JSON}.")
            return _stored(await self._take(request, content_type, held), content_type)

    async def _take(self, request: web.Request, content_type: str, held: Held) -> Answer:
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", *bodies.ENCODINGS):
            raise Refused(
                Reason.UNKNOWN_ENCODING, f"The content encoding must be one of {', '.join(bodies.ENCODINGS)}."
            )
        body = await self._unpack(await self._receive(request, held), encoding, held)
        return await self._export.store(body, content_type, held)

    async def _receive(self, request: web.Request, held: Held) -> bytes:
        limit = self._settings.max_body_bytes
        too_large = f"The request is larger than {limit} bytes: send fewer spans at once."
        reserved = request.content_length or 0
        if reserved > limit:
            raise Refused(Reason.TOO_LARGE, too_large)
        held.add(reserved)
        body = io.BytesIO()
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._settings.body_timeout):
                async for chunk in request.content.iter_any():
                    size += len(chunk)
                    if size > limit:
                        raise Refused(Reason.TOO_LARGE, too_large)
                    if size > reserved:
                        held.add(size - reserved)
                        reserved = size
                    chunks.append(chunk)
                    if len(chunks) == _CHUNKS:
                        body.write(b"".join(chunks))
                        chunks.clear()
        except TimeoutError:
            raise Refused(Reason.TOO_SLOW, "The request took too long to arrive: send again.") from None
        except (web.RequestPayloadError, ConnectionError):
            raise Refused(Reason.MALFORMED, "The request ended before its body did.") from None
        if not body.tell():
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        body.write(b"".join(chunks))
        return body.getvalue()

    async def _unpack(self, packed: bytes, encoding: str, held: Held) -> bytes:
        limit = self._settings.max_message_bytes
        try:
            if encoding not in bodies.ENCODINGS:
                return bodies.unpack(packed, encoding, limit)
            try:
                body = bodies.unpack(packed, encoding, min(limit, _ON_THE_LOOP))
                held.add(len(body))
            except bodies.TooLarge:
                body = await self._unpack_large(packed, encoding, held)
        except bodies.TooLarge:
            raise Refused(
                Reason.TOO_LARGE, f"The request unpacks to more than {limit} bytes: send fewer spans at once."
            ) from None
        except bodies.Broken:
            raise Refused(Reason.MALFORMED, f"The body is not {encoding}.") from None
        held.give_back(len(packed))
        return body

    async def _unpack_large(self, packed: bytes, encoding: str, held: Held) -> bytes:
        """Unpack in the thread; first with room for little, which is found sooner and nearly always enough."""
        limit = self._settings.max_message_bytes
        needed = min(limit, _LITTLE)
        while True:
            try:
                body = await self._unpacking.run(held, needed, bodies.unpack, packed, encoding, needed)
            except bodies.TooLarge:
                if needed == limit:
                    raise
                held.give_back(needed)
                needed = limit
            else:
                held.give_back(needed - len(body))
                return body


def _stored(answer: Answer, content_type: str) -> web.Response:
    if content_type == JSON:
        partial = {"rejectedSpans": str(answer.rejected_spans), "errorMessage": answer.error_message}
        return web.json_response({"partialSuccess": partial} if answer.rejected_spans else {})
    return web.Response(body=partial_success(answer), content_type=PROTOBUF)


def partial_success(answer: Answer) -> bytes:
    """Return an ExportTraceServiceResponse as protobuf; that of a full success is empty."""
    response = otlp_pb2.ExportTraceServiceResponse()
    if answer.rejected_spans:
        response.partial_success.rejected_spans = answer.rejected_spans
        response.partial_success.error_message = answer.error_message.encode()
    return response.SerializeToString()


def _refused(refused: Refused, request: web.Request) -> web.Response:
    content_type = _content_type(request) or PROTOBUF
    body = (
        json.dumps(refused.status_json()).encode()
        if content_type == JSON
        else refused.status().SerializeToString()
    )
    return web.Response(
        status=refused.reason.http_status,
        body=body,
        content_type=content_type,
        headers=refused.http_headers(),
    )


@web.middleware
async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make an answer of whatever goes wrong: a Status in the encoding of the request, as OTLP wants it.

    No refusal is kept in a variable: with its traceback it would hold this frame, and the body, until some garbage
    collection finds the circle.
    """
    try:
        return await handler(request)
    except Refused as refused:
        return _refused(refused, request)
    except web.HTTPNotFound:
        sentence = f"There is nothing here: traces go to POST {PATHS[0]}, logs and metrics are not taken."
        return _refused(Refused(Reason.NOT_FOUND, sentence), request)
    except web.HTTPMethodNotAllowed as error:
        answer = _refused(Refused(Reason.WRONG_METHOD, f"Traces are sent with POST {PATHS[0]}."), request)
        answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return answer
    except web.HTTPException:
        raise
    except Exception:
        logger.exception("a request failed")
        return _refused(Refused(Reason.FAILED, "The receiver has failed: its log says why."), request)


def _content_type(request: web.Request) -> str | None:
    return _CONTENT_TYPES.get(request.content_type if "Content-Type" in request.headers else "")


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})
