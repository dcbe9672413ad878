"""The users file: who may log in, and which projects each may see."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spanloom.dashboard.access.passwords import is_hash
from spanloom.dashboard.access.projects import ALL, granted


class UsersError(ValueError):
    """The users file can't be read; the message says what to change and shows no hash."""


@dataclass(frozen=True)
class User:
    """Somebody.

    Attributes:
        password_hash: argon2id; empty for one whom only a proxy lets in.
        projects: those they may see; None is all.
        forgets: those whose data they may have forgotten; None is all.
    """

    name: str
    password_hash: str
    projects: frozenset[str] | None
    forgets: frozenset[str] | None = frozenset()


def from_toml(text: str) -> dict[str, User]:
    """Return the users of a file by name: tables `[[user]]` with `name`, `password` (hashed), `projects`, `forget`.

    Raises:
        UsersError: it is none.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Also what TOML's grammar lets through and Python does not: thousands of digits, or of brackets.
        raise UsersError(f"it is not TOML ({error})") from None
    entries = document.pop("user", [])
    if document or not isinstance(entries, list):
        raise UsersError("it may hold tables [[user]] only, each with name, password, projects and forget")
    users: dict[str, User] = {}
    for number, given in enumerate(entries, 1):
        user = _user(number, given)
        if user.name in users:
            raise UsersError(f"user {number} has the name of another one: every name may stand once")
        users[user.name] = user
    return users


def entry(name: str, password_hash: str, projects: Sequence[str], forget: Sequence[str] = ()) -> str:
    """Return the lines of a users file for a user."""
    lines = [
        "[[user]]",
        f"name = {_quoted(name)}",
        f"password = {_quoted(password_hash)}",
        f"projects = {_list(projects)}",
    ]
    if forget:
        lines.append(f"forget = {_list(forget)}")
    return "\n".join(lines) + "\n"


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _user(number: int, given: Any) -> User:
    if not isinstance(given, dict) or not {"name", "projects"} <= set(given) <= {
        "name",
        "password",
        "projects",
        "forget",
    }:
        raise UsersError(
            f"user {number} must have name, projects and, to log in, password; forget, if they may have data"
            " forgotten; and nothing else"
        )
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
    if not _is_list(projects):
        raise UsersError(f'user {number} needs projects: a list such as ["shop"], or ["*"] for all')
    forget = given.get("forget", [])
    if not _is_list(forget) or (ALL not in projects and not set(projects).issuperset(forget)):
        raise UsersError(f"forget of user {number} must be a list of some of their projects")
    return User(name, password, granted(projects), granted(forget))


def _is_list(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(each, str) and each for each in given)
