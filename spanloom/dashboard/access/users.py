"""The users file: who may log in, and which projects each may see."""

from __future__ import annotations

import logging
import os
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloom.dashboard.access.passwords import is_hash
from spanloom.dashboard.access.projects import granted

logger = logging.getLogger("spanloom.dashboard")

_LOOK = 1.0  # seconds between two looks whether the file has changed


class UsersError(ValueError):
    """The users file can't be read; the message says what to change and shows no hash."""


@dataclass(frozen=True)
class User:
    """Somebody.

    Attributes:
        password_hash: argon2id; empty for one whom only a proxy lets in.
        projects: those they may see; None is all.
    """

    name: str
    password_hash: str
    projects: frozenset[str] | None


def from_toml(text: str) -> dict[str, User]:
    """Return the users of a file by name: tables `[[user]]` with `name`, `password` (hashed) and `projects`.

    Raises:
        UsersError: it is none.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsersError(f"it is not TOML ({error})") from None
    entries = document.pop("user", [])
    if document or not isinstance(entries, list):
        raise UsersError("it may hold tables [[user]] only, each with name, password and projects")
    users: dict[str, User] = {}
    for number, given in enumerate(entries, 1):
        user = _user(number, given)
        if user.name in users:
            raise UsersError(f"user {number} has the name of another one: every name may stand once")
        users[user.name] = user
    return users


def entry(name: str, password_hash: str, projects: list[str]) -> str:
    """Return the lines of a users file for a user."""
    granted_to = ", ".join(map(_quoted, projects))
    return (
        f"[[user]]\nname = {_quoted(name)}\npassword = {_quoted(password_hash)}\nprojects = [{granted_to}]\n"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _user(number: int, given: Any) -> User:
    if not isinstance(given, dict) or not {"name", "projects"} <= set(given) <= {
        "name",
        "password",
        "projects",
    }:
        raise UsersError(f"user {number} must have name, projects and, to log in, password, and nothing else")
    name, password, projects = given["name"], given.get("password", ""), given["projects"]
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= 200
        or not name.isprintable()
        or name != name.strip()
    ):
        raise UsersError(f"user {number} needs a name of 1 to 200 printable characters")
    if not isinstance(password, str) or (password and not is_hash(password)):
        raise UsersError(
            f"the password of user {number} is no argon2id hash: make one with `spanloom users new`"
        )
    if not isinstance(projects, list) or not all(
        isinstance(project, str) and project for project in projects
    ):
        raise UsersError(f'user {number} needs projects: a list such as ["shop"], or ["*"] for all')
    return User(name, password, granted(projects))


class Users:
    """The users as the file says now.

    A file that can't be read any more changes nothing, and is complained about in the log.

    Args:
        clock: seconds, only ever growing.

    Raises:
        UsersError: it can't be read to begin with.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path)
        self._clock = clock
        self._looked = clock()
        self._stamp = self._now()
        self._users = self._read()

    def get(self, name: str) -> User | None:
        """Return a user; None for nobody."""
        return self.all().get(name)

    def all(self) -> Mapping[str, User]:
        """Return all users by name."""
        if self._clock() - self._looked >= _LOOK:
            self._looked = self._clock()
            stamp = self._now()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._users = self._read()
                    logger.info("the users file has changed: %d users", len(self._users))
                except UsersError as error:
                    logger.error("%s; the users known so far stay", error)
        return self._users

    def _now(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> dict[str, User]:
        try:
            return from_toml(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise UsersError(f"the users file {self._path} can't be read: {reason}") from None
        except UsersError as error:
            raise UsersError(f"the users file {self._path} can't be used: {error}") from None
