"""The requests and the bytes that are in flight: a fixed number of each, shared by the projects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from spanloom.receiver import metrics
from spanloom.receiver.refusals import RETRY_SECONDS, Reason, Refused
from spanloom.receiver.sharing.shares import Shares
from spanloom.receiver.sharing.turns import Turns

_PATIENCE = 5.0
"""Seconds that a request waits for room at most."""


class _Waiting(NamedTuple):
    size: int
    turn: asyncio.Future[None]


class Room:
    """What there is room for. Bytes are reserved before they are read, so that memory is bounded whatever is sent.

    Args:
        max_requests: requests in flight at most.
        max_bytes: bytes in flight at most: received or about to be, and not settled by Kafka.
        shared: whether there is more than one project; a single one may have everything.
    """

    def __init__(self, max_requests: int, max_bytes: int, shared: Callable[[], bool]) -> None:
        self._requests = Shares(max_requests)
        self._bytes = Shares(max_bytes)
        self._shared = shared
        self._turns: Turns[_Waiting] = Turns()

    @property
    def bytes(self) -> int:
        """Bytes in flight."""
        return self._bytes.taken

    def enter(self, project: str) -> Held:
        """Return the account of a new request, which holds no bytes yet.

        Raises:
            Refused: the project has too many requests in flight.
        """
        if not self._requests.take(project, 1, shared=self._shared()):
            raise Refused(
                Reason.UNAVAILABLE, "Too many requests are under way: send again later.", RETRY_SECONDS
            )
        return Held(self, project)

    def leave(self, project: str) -> None:
        """Count a request no longer that has entered."""
        self._requests.give_back(project, 1)

    def take(self, project: str, size: int) -> None:
        """Count bytes as in flight.

        Raises:
            Refused: the project has too many in flight.
        """
        if not self._take(project, size):
            raise _too_much()

    async def wait(self, project: str, size: int) -> None:
        """Count bytes as in flight as soon as there is room; projects that wait take turns.

        Raises:
            Refused: there is none for long.
        """
        if not self._turns.waiting(project) and self._take(project, size):
            return
        waiting = _Waiting(size, asyncio.get_running_loop().create_future())
        self._turns.add(project, waiting)
        try:
            async with asyncio.timeout(_PATIENCE):
                await waiting.turn
        except (asyncio.CancelledError, TimeoutError) as error:
            self._turns.remove(project, waiting)
            if waiting.turn.done() and not waiting.turn.cancelled():
                self.give_back(project, size)
            if isinstance(error, TimeoutError):
                raise _too_much() from None
            raise

    def give_back(self, project: str, size: int) -> None:
        """Count bytes no longer."""
        self._bytes.give_back(project, size)
        while self._turns and (waiting := self._turns.take(self._fits)):
            if not waiting.turn.done():
                waiting.turn.set_result(None)
        metrics.BYTES_IN_FLIGHT.set(self.bytes)

    def _fits(self, project: str, waiting: _Waiting) -> bool:
        return waiting.turn.done() or self._take(project, waiting.size)

    def _take(self, project: str, size: int) -> bool:
        if not self._bytes.take(project, size, shared=self._shared()):
            return False
        metrics.BYTES_IN_FLIGHT.set(self.bytes)
        return True


def _too_much() -> Refused:
    return Refused(Reason.UNAVAILABLE, "Too much is on its way to Kafka: send again later.", RETRY_SECONDS)


class Held:
    """The bytes of one request, in flight while one of those that need them holds them: the handler that answers it, a
    thread that unpacks or splits it, Kafka's client.
    """

    def __init__(self, room: Room, project: str) -> None:
        self.project = project
        self._room = room
        self._size = 0
        self._holders = 1

    def add(self, size: int) -> None:
        """Hold more bytes.

        Raises:
            Refused: too many are in flight.
        """
        self._room.take(self.project, size)
        self._size += size

    async def wait(self, size: int) -> None:
        """Hold more bytes as soon as there is room.

        Raises:
            Refused: there is none for long.
        """
        await self._room.wait(self.project, size)
        self._size += size

    def give_back(self, size: int) -> None:
        """Hold fewer bytes."""
        self._size -= size
        self._room.give_back(self.project, size)

    def keep_until(self, future: asyncio.Future[Any]) -> None:
        """Hold them until a future is settled, too."""
        self._holders += 1
        future.add_done_callback(self._settled)

    def answered(self) -> None:
        """The request is answered: it takes no slot, and its handler needs the bytes no longer."""
        self._room.leave(self.project)
        self._drop()

    def _drop(self) -> None:
        self._holders -= 1
        if not self._holders:
            self.give_back(self._size)

    def _settled(self, future: asyncio.Future[object]) -> None:
        self._drop()
        if not future.cancelled():
            future.exception()  # looked at: where the client has gone nobody else would
