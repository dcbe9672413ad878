"""Bounds of a server's connections, kept where they are accepted: before TLS, and whatever library serves them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from spanloom.connections import metrics
from spanloom.connections.count import Count, network_of

logger = logging.getLogger("spanloom.connections")

_REFUSALS = 64
"""Connections refused in a row, until the event loop has its turn."""

_WHY = {
    "full": "there are %d connections already",
    "address": "their address has %d connections already",
}


class Guard:
    """Watches over the connections of one server.

    A connection is counted from its acceptance until its socket is closed. Within `head_timeout` it must have brought
    the head of a request, and before that its TLS handshake; else it is shut down, and whoever serves it sees its end.

    Args:
        server: its name, in the log and the metrics.
        count: how many connections there may be.
        head_timeout: seconds until a head must be there.
    """

    def __init__(self, server: str, count: Count, head_timeout: float) -> None:
        self._server = server
        self._count = count
        self._head_timeout = head_timeout
        self._sockets: dict[int, _Accepted] = {}
        self._deadlines: dict[int, asyncio.TimerHandle] = {}

    def admit(self, accepted: socket.socket, address: Any) -> socket.socket | None:
        """Return a connection as it may be served; None where it was refused, and closed."""
        network = network_of(address[0])
        reason = self._count.refusal(network)
        if reason is not None:
            accepted.close()
            metrics.CLOSED.labels(self._server, reason).inc()
            most = self._count.most if reason == "full" else self._count.most_per_network
            logger.warning(f"{self._server}: connections are refused: {_WHY[reason]}", most)
            return None
        self._count.opened(network)
        metrics.OPEN.labels(self._server).inc()
        fileno = accepted.fileno()

        def closed() -> None:
            self.head_arrived(fileno)
            del self._sockets[fileno]
            self._count.closed(network)
            metrics.OPEN.labels(self._server).dec()

        self._sockets[fileno] = _Accepted(accepted, closed)
        self.expect_head(fileno)
        return self._sockets[fileno]

    def expect_head(self, fileno: int) -> None:
        """Close a connection unless a head arrives in time; a deadline that it has already stays."""
        if fileno in self._sockets and fileno not in self._deadlines:
            loop = asyncio.get_running_loop()
            self._deadlines[fileno] = loop.call_later(self._head_timeout, self._too_slow, fileno)

    def head_arrived(self, fileno: int) -> None:
        """Let a connection live on."""
        deadline = self._deadlines.pop(fileno, None)
        if deadline is not None:
            deadline.cancel()

    @property
    def waits(self) -> bool:
        """Whether any connection has yet to bring a head."""
        return bool(self._deadlines)

    def refused_for_want_of_files(self) -> None:
        """Count and log a connection that was refused because too many files are open."""
        metrics.CLOSED.labels(self._server, "full").inc()
        logger.warning("%s: connections are refused: the process has too many files open", self._server)

    def _too_slow(self, fileno: int) -> None:
        del self._deadlines[fileno]
        metrics.CLOSED.labels(self._server, "slow").inc()
        # Not closed: that is for the transport, which sees an end of what it reads and of what it may write.
        with contextlib.suppress(OSError):
            self._sockets[fileno].shutdown(socket.SHUT_RDWR)


class Listener(socket.socket):
    """A listening socket that hands out only connections which its guard admits."""

    def __init__(self, family: int, guard: Guard) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._guard = guard
        # Given up for a moment where no file can be opened any more: a connection that is never accepted would make the
        # event loop try again and again.
        self._spare = -1
        self._open_spare()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection.

        Raises:
            BlockingIOError: there is none at the moment.
        """
        if self._spare < 0:
            self._open_spare()
        for _ in range(_REFUSALS):
            try:
                accepted, address = super().accept()
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE) or self._spare < 0:
                    raise
                self._refuse_waiting()
                break
            admitted = self._guard.admit(accepted, address)
            if admitted is not None:
                return admitted, address
        raise BlockingIOError

    def close(self) -> None:
        """Stop listening."""
        self._close_spare()
        super().close()

    def _refuse_waiting(self) -> None:
        self._close_spare()
        try:
            for _ in range(_REFUSALS):
                super().accept()[0].close()
                self._guard.refused_for_want_of_files()
        except OSError:
            pass  # none waits any more, or somebody else has opened a file meanwhile
        self._open_spare()

    def _open_spare(self) -> None:
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _close_spare(self) -> None:
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1


class _Accepted(socket.socket):
    """A connection that says when it is closed, by whomever."""

    def __init__(self, accepted: socket.socket, closed: Callable[[], None]) -> None:
        self._report_close: Callable[[], None] | None = closed
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())

    def close(self) -> None:
        if self._report_close is not None:
            self._report_close()
            self._report_close = None
        super().close()

    def __del__(self) -> None:
        self.close()


def listen(host: str, port: int, guard: Guard) -> list[Listener]:
    """Bind every address of a host; the event loop makes them listen.

    Raises:
        OSError: the host has no address, or the port is taken.
    """
    listeners: list[Listener] = []
    try:
        for family, _, _, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            listener = Listener(family, guard)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners
