"""OTLP over gRPC: `TraceService/Export`, and gRPC's health service.

https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from spanloom.receiver.export import Export
from spanloom.receiver.http_server import partial_success
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.requests.envelope import PROTOBUF
from spanloom.receiver.settings import ReceiverSettings
from spanloom.receiver.sharing.room import Held

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"

_STREAMS = 100
"""Requests under way on one connection, as HTTP/2 recommends at least; further ones wait at the client."""

_LAST_REQUESTS = 10.0
"""Seconds that requests under way have when the server stops."""


class GrpcServer:
    """Serves OTLP/gRPC. Requests stay bytes: nothing is parsed."""

    def __init__(self, settings: ReceiverSettings, export: Export) -> None:
        self._settings = settings
        self._export = export
        self._server: Any = None
        self._health = health.aio.HealthServicer()

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: the port is taken, or a certificate can't be read.
        """
        settings = self._settings
        server = self._server = grpc.aio.server(
            # Past twice the limit gRPC refuses by itself, before a request has been read.
            maximum_concurrent_rpcs=2 * settings.max_requests,
            options=(
                ("grpc.max_receive_message_length", settings.max_grpc_bytes),
                ("grpc.max_concurrent_streams", _STREAMS),
                # Else a second receiver could bind the same port, and each would get half of the connections.
                ("grpc.so_reuseport", 0),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                # Refused when they are accepted. gRPC does not count by address.
                (
                    "grpc.max_allowed_incoming_connections",
                    settings.room(),
                ),
                # Until TLS and the client's SETTINGS are there; two minutes by default.
                ("grpc.server_handshake_timeout_ms", round(settings.head_timeout * 1000)),
                # A connection without a call gets a GOAWAY, on which clients connect anew by themselves.
                ("grpc.max_connection_idle_ms", round(settings.idle_timeout * 1000)),
            ),
        )
        # On the wire a unary call. Served as a stream the message is read when we ask for it, and that is after the key
        # was looked at: else anybody could make us hold as many of the largest messages as HTTP/2 lets him.
        handler: Any = grpc.stream_unary_rpc_method_handler(self._traces)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        address = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{address}:{settings.grpc_port}"
        try:
            credentials = await asyncio.to_thread(_tls, settings)
            if credentials is None:
                server.add_insecure_port(address)
            else:
                server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise OSError(f"can't listen on {address}") from error
        await server.start()

    async def stop(self) -> None:
        """Take no more requests; those under way have some seconds to end."""
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            await self._server.stop(_LAST_REQUESTS)

    async def set_serving(self, serving: bool) -> None:
        """Report to gRPC's health service whether Kafka can be written to."""
        state = (
            health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for service in ("", SERVICE):
            await self._health.set(service, state)

    async def _traces(
        self, _: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> bytes:
        try:
            with self._export.request("grpc", _headers(context)) as held:
                body = await self._receive(context, held)
                return partial_success(await self._export.store(body, PROTOBUF, held))
        except Refused as refused:
            status = rpc_status.to_status(refused.status())
            await context.abort(status.code, status.details or "", status.trailing_metadata or ())
            raise AssertionError("abort raises") from None

    async def _receive(self, context: grpc.aio.ServicerContext[bytes, bytes], held: Held) -> bytes:
        # How large a message is gRPC says only when all of it is here, so room for the largest is made before; where
        # there is none the message waits at the client, held back by HTTP/2.
        largest = self._settings.max_grpc_bytes
        await held.wait(largest)
        try:
            # Not from the iterator: with its generator it is a circle, which holds call and message until some garbage
            # collection.
            body = await asyncio.wait_for(context.read(), self._settings.body_timeout)
        except TimeoutError:
            raise Refused(Reason.TOO_SLOW, "The request took too long to arrive: send again.") from None
        if not isinstance(body, bytes):
            raise Refused(Reason.MALFORMED, "The call ended before its message did.")
        held.give_back(largest - len(body))
        return body


def _headers(context: grpc.aio.ServicerContext[bytes, bytes]) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _tls(settings: ReceiverSettings) -> grpc.ServerCredentials | None:
    if not settings.tls_certfile:
        return None
    pair = Path(settings.tls_keyfile).read_bytes(), Path(settings.tls_certfile).read_bytes()
    return grpc.ssl_server_credentials([pair])
