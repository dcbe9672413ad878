"""Work that would block the event loop: in one thread, one call at a time, so that its memory is bounded too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from spanloom.receiver.refusals import RETRY_SECONDS, Reason, Refused
from spanloom.receiver.sharing.room import Held
from spanloom.receiver.sharing.turns import Turns

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 8.0
"""Seconds that a call waits for its turn at most: then its sender is about to give up."""


class Thread:
    """One thread, which the projects use in turns.

    Args:
        name: of the thread.
        patience: seconds that a call waits for its turn at most.
    """

    def __init__(self, name: str, patience: float = _PATIENCE) -> None:
        self._executor = ThreadPoolExecutor(1, name)
        self._turns: Turns[asyncio.Future[None]] = Turns()
        self._busy = False
        self._patience = patience

    async def run(self, held: Held, needs: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns. Where the caller is cancelled it runs to its end all the same.

        Args:
            held: the account of the request, which is held until the work is done.
            needs: bytes that the work needs in addition: held from its turn on.
            work: what to do.
            args: of the work.
            kwargs: of the work.

        Raises:
            Refused: its turn does not come, or there is no room for what it needs.
        """
        if self._busy:
            await self._turn(held.project)
        self._busy = True
        try:
            held.add(needs)
        except Refused:
            self._next()
            raise
        done = asyncio.get_running_loop().run_in_executor(self._executor, partial(work, *args, **kwargs))
        held.keep_until(done)
        done.add_done_callback(self._next)
        try:
            return await asyncio.shield(done)
        finally:
            del done  # with its error it would hold this frame, and the body, until some garbage collection

    async def _turn(self, project: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.add(project, turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except (asyncio.CancelledError, TimeoutError) as error:
            self._turns.remove(project, turn)
            if turn.done() and not turn.cancelled():
                self._next()
            if isinstance(error, TimeoutError):
                raise Refused(
                    Reason.UNAVAILABLE,
                    "Too many large requests are under way: send again later.",
                    RETRY_SECONDS,
                ) from None
            raise

    def _next(self, _: object = None) -> None:
        while (turn := self._turns.take()) is not None:
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False
