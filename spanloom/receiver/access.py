"""Who may send: anybody on loopback, or the holders of keys, whose file is read again when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
            Refused: it names no key, or an unknown one.
        """
        if self._is_open:
            return OPEN_PROJECT
        key = given_key(headers)
        project = self._keys().project_of(key)
        if project is None:
            sentence = "The API key is not known" if key else "There is no API key"
            raise Refused(
                Reason.NO_KEY, f"{sentence}: send one as `Authorization: Bearer KEY` or `x-api-key: KEY`."
            )
        return project

    @property
    def shared(self) -> bool:
        """Whether there are keys of more than one project."""
        return not self._is_open and self._keys().shared

    def _keys(self) -> Keys:
        return self._file.contents() if self._file else self._without_file

    def _with_file(self, text: str) -> Keys:
        return Keys([*self._set, *from_toml(text)])
