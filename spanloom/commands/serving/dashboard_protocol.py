"""HTTP as uvicorn speaks it, with a deadline for each request; uvicorn itself only has one for idle connections."""

from __future__ import annotations

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from spanloom.connections.guard import Guard


def bounded_protocol(guard: Guard) -> type[H11Protocol]:
    """Return the protocol of connections that a guard watches over.

    The first request is to be there in time from the connection's acceptance, each further one from its first byte:
    head and body, for the dashboard's requests are small.
    """

    class Bounded(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            connection: socket.socket | None = transport.get_extra_info("socket")
            self._fileno = connection.fileno() if connection is not None else -1

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch(begun=True)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # What came of the next request meanwhile was kept until now.
            self._watch(begun=bool(self.conn.trailing_data[0]))

        def send_400_response(self, msg: str) -> None:
            """Refuse what is no HTTP, where in a request it may come."""
            if self.cycle is not None and not self.cycle.response_complete:
                # The application still works on the request, and would answer it a second time.
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                super().send_400_response(msg)
            else:
                self.transport.close()

        def _watch(self, begun: bool) -> None:
            if self.transport.is_closing():
                return  # the number may be another connection's by now
            state = self.conn.their_state
            if state is h11.SEND_BODY or (state is h11.IDLE and begun):
                guard.expect_head(self._fileno)
            else:
                guard.head_arrived(self._fileno)

    return Bounded
