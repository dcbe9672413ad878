"""What clients can make a server log, as often as they like: a first few lines of a kind, then one now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp.http_exceptions import HttpProcessingError

_FIRST = 5
"""Lines of a kind that are logged at once."""

_EVERY = 60.0
"""Seconds between two lines of a kind after those."""

_KINDS = 256
"""Kinds that are told apart; what comes later is one kind."""

_LOUD = ("aiohttp.server", "asyncio", "uvicorn.error", "spanloom.connections")
"""The loggers of what clients do: to aiohttp, the event loop, uvicorn and our own bounds."""


@dataclass(slots=True)
class _Kind:
    logged: int = 0
    last: float = 0.0
    left_out: int = 0


class Seldom(logging.Filter):
    """Lets the first lines of a kind pass, then one a minute, which says how many were left out.

    Two records are of a kind where they have the same logger, level, text before its arguments are put in (its first
    line), and type of exception.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[object, _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged; its text may be longer then."""
        name: object = (
            record.name,
            record.levelno,
            str(record.msg).partition("\n")[0],
            record.exc_info[0] if record.exc_info else None,
        )
        if name not in self._kinds and len(self._kinds) >= _KINDS:
            name = "others"
        kind = self._kinds.setdefault(name, _Kind())
        now = self._clock()
        if kind.logged >= _FIRST and now - kind.last < _EVERY:
            kind.left_out += 1
            return False
        if kind.left_out:
            record.msg = f"{record.getMessage()} (and {kind.left_out} more like it since the last such line)"
            record.args = None
        kind.logged, kind.last, kind.left_out = kind.logged + 1, now, 0
        return True


def without_payload(record: logging.LogRecord) -> bool:
    """Take what a client sent out of the record of a malformed request, which aiohttp quotes in a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg = f"a malformed request was refused ({type(error).__name__})"
        record.args = record.exc_info = record.exc_text = None
    return True


def log_clients_seldom() -> None:
    """Bound what the loggers of this process say of clients."""
    seldom = Seldom()
    for name in _LOUD:
        logger = logging.getLogger(name)
        logger.addFilter(without_payload)
        logger.addFilter(seldom)
