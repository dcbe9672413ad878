"""The users file: who may log in, and which projects each may see."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from spanloom.dashboard.access.passwords import is_hash
from spanloom.dashboard.access.projects import granted


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
    except (ValueError, RecursionError) as error:
        # Also what TOML's grammar lets through and Python does not: thousands of digits, or of brackets.
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
