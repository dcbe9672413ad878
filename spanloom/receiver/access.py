"""Who may send: programs of this machine, or the holders of keys, whose file is read again when it changes.

Without keys a browser of this machine may not, on behalf of whatever page it shows: only those of the CORS origins.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spanloom.browsers import LOOPBACK_NAMES, host_of, is_foreign
from spanloom.receiver.keys import Keys, KeysError, from_setting, from_toml, given_key
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.settings import ReceiverSettings
from spanloom.watched_file import WatchedFile

OPEN_PROJECT = "default"
"""The project of every request while no keys are set."""


class Access:
    """Knows the project of each request.

    Raises:
        KeysError: the keys can't be read.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        self._is_open = settings.is_open
        self._hosts = LOOPBACK_NAMES | {settings.host.lower(), *map(str.lower, settings.host_names)}
        self._origins = frozenset(settings.origins)
        try:
            self._set = from_setting(settings.keys)
        except KeysError as error:
            raise KeysError(f"SPANLOOM_RECEIVER__KEYS: {error}") from None
        self._without_file = Keys(self._set)
        self._file = (
            WatchedFile("keys file", Path(settings.keys_file), self._with_file, KeysError)
            if settings.keys_file
            else None
        )
        if not self._is_open and not self._keys():
            raise KeysError("there are no API keys: `spanloom keys new PROJECT` makes one")

    def project(self, headers: Mapping[str, str]) -> str:
        """Return the project that a request's key belongs to.

        Raises:
            Refused: it names no key, or an unknown one; without keys, a page that may not has sent it.
        """
        if self._is_open:
            self._check_sender(headers)
            return OPEN_PROJECT
        key = given_key(headers)
        project = self._keys().project_of(key)
        if project is None:
            sentence = "The API key is not known" if key else "There is no API key"
            raise Refused(
                Reason.NO_KEY, f"{sentence}: send one as `Authorization: Bearer KEY` or `x-api-key: KEY`."
            )
        return project

    def _check_sender(self, headers: Mapping[str, str]) -> None:
        if is_foreign(headers) and not self._origins & {"*", headers.get("Origin", "null")}:
            raise Refused(
                Reason.FOREIGN,
                "A page from elsewhere has sent this: add its origin to SPANLOOM_RECEIVER__CORS_ORIGINS if it may.",
            )
        # A page may point a name of its own at this machine, which makes it no foreign one. (gRPC has no such header,
        # and no browser speaks it.)
        if "Host" in headers and host_of(headers) not in self._hosts:
            raise Refused(
                Reason.FOREIGN,
                "The receiver does not answer under this name without API keys: add it to SPANLOOM_RECEIVER__HOSTS.",
            )

    @property
    def shared(self) -> bool:
        """Whether there are keys of more than one project."""
        return not self._is_open and self._keys().shared

    def _keys(self) -> Keys:
        return self._file.contents() if self._file else self._without_file

    def _with_file(self, text: str) -> Keys:
        return Keys([*self._set, *from_toml(text)])
