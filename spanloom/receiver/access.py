"""Who may send: an open door on loopback, or keys from a file that is read again when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from spanloom.receiver.keys import Key, Keys, KeysError, from_setting, from_toml, given_key
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.settings import ReceiverSettings

logger = logging.getLogger("spanloom.receiver")

OPEN_PROJECT = "default"
"""The project of whatever comes through the open door."""

RELOAD = 2.0
"""Seconds between two looks whether the keys file has changed."""


class Access:
    """Knows the project of each request.

    Raises:
        KeysError: the keys can't be read.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        self._is_open = settings.is_open
        self._fixed = _named("SPANLOOM_RECEIVER__KEYS", lambda: from_setting(settings.keys))
        self._file = Path(settings.keys_file) if settings.keys_file else None
        self._seen = _stamp(self._file)
        self._keys = self._read()
        if not self._is_open and not self._keys:
            raise KeysError("there are no API keys: `spanloom keys new PROJECT` makes one")

    def project(self, headers: Mapping[str, str]) -> str:
        """Return the project that a request's key belongs to.

        Raises:
            Refused: it names no key, or nobody's.
        """
        if self._is_open:
            return OPEN_PROJECT
        key = given_key(headers)
        project = self._keys.project_of(key)
        if project is None:
            sentence = "The API key is not known" if key else "There is no API key"
            raise Refused(
                Reason.NO_KEY, f"{sentence}: send one as `Authorization: Bearer KEY` or `x-api-key: KEY`."
            )
        return project

    async def watch(self) -> None:
        """Read the keys file again whenever it changes, until cancelled; a broken one changes nothing."""
        while True:
            await asyncio.sleep(RELOAD)
            stamp = await asyncio.to_thread(_stamp, self._file)
            if stamp == self._seen:
                continue
            self._seen = stamp
            try:
                self._keys = await asyncio.to_thread(self._read)
                logger.info("read %s API keys from %s", len(self._keys), self._file)
            except KeysError as error:
                logger.error("%s; the keys stay as they were", error)

    def _read(self) -> Keys:
        file = self._file
        from_file = _named(str(file), lambda: from_toml(_text(file))) if file else []
        return Keys([*self._fixed, *from_file])


def _named(where: str, read: Callable[[], list[Key]]) -> list[Key]:
    try:
        return read()
    except KeysError as error:
        raise KeysError(f"{where}: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError(f"it can't be read ({type(error).__name__})") from None


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when a file does, also where it is a link that is moved, as Kubernetes does with secrets."""
    if path is None:
        return None
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
