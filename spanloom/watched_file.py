"""A file that is read again when it changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Generic, TypeVar

logger = logging.getLogger("spanloom.watched_file")

LOOK = 1.0
"""Seconds between two looks whether a file has changed."""

Contents = TypeVar("Contents", bound=Sized)

_Stamp = tuple[int, int, int, int]


class WatchedFile(Generic[Contents]):
    """The current contents of a file.

    There is no task that watches: a call of `contents` looks, at most once a second. A file that is missing,
    may not be read or is broken leaves the contents as they were. That is logged once, and it is tried again with
    every look, so that one that was read half written, or while files were short, is not missed.

    Args:
        what: the kind of file, for messages: "keys file".
        path: it may be a link; one that is moved, as Kubernetes does with secrets, is a change.
        parse: gives the contents of a text; raises `error` with one sentence.
        error: raised for a file that can't be read or parsed.
        clock: seconds, only ever growing.

    Raises:
        error: the file can't be read to begin with; one sentence.
    """

    def __init__(
        self,
        what: str,
        path: Path,
        parse: Callable[[str], Contents],
        error: type[ValueError],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._path = path
        self._parse = parse
        self._error = error
        self._clock = clock
        self._looked = clock()
        # Looked at before it is read: what is written in between is found with the next look.
        self._stamp = self._stat()
        self._contents = self._read()
        self._logged: tuple[_Stamp | None, str] | None = None

    def contents(self) -> Contents:
        """Return the contents as they were at most a second ago."""
        if self._clock() - self._looked >= LOOK:
            self._looked = self._clock()
            self._look()
        return self._contents

    def _look(self) -> None:
        stamp = self._stat()
        if stamp == self._stamp:
            return
        try:
            self._contents = self._read()
        except self._error as error:
            if (stamp, str(error)) != self._logged:
                self._logged = (stamp, str(error))
                logger.error("%s; its previous contents still hold", error)
            return
        self._stamp, self._logged = stamp, None
        logger.info("the %s %s has changed: %d entries", self._what, self._path, len(self._contents))

    def _stat(self) -> _Stamp | None:
        """What differs when a file is written, replaced, or made readable; None where there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size

    def _read(self) -> Contents:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise self._error(f"the {self._what} {self._path} can't be read: {reason}") from None
        try:
            return self._parse(text)
        except self._error as error:
            raise self._error(f"the {self._what} {self._path} can't be used: {error}") from None
