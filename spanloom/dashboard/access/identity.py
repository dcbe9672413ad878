"""Who sends a request, and what they may see.

Three ways, by the settings: on loopback without a login anybody, everything; a login with a password; or a proxy that
names in a header whom it let in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from spanloom.connections.settings import split
from spanloom.dashboard.access.cookies import Cookies, cookie_name
from spanloom.dashboard.access.passwords import Checker
from spanloom.dashboard.access.projects import Visible, granted
from spanloom.dashboard.access.proxies import came_through_proxy
from spanloom.dashboard.access.throttle import Throttle
from spanloom.dashboard.access.tickets import Tickets
from spanloom.dashboard.access.users import UsersError, from_toml
from spanloom.dashboard.settings import DashboardSettings
from spanloom.watched_file import WatchedFile


class NotLoggedIn(Exception):
    """Somebody has to log in first."""


class Forbidden(Exception):
    """They may not; one sentence."""


@dataclass(frozen=True)
class Identity:
    """Who sends a request.

    Attributes:
        name: empty where nobody has to say.
        projects: those they may see; None is all.
        has_login: whether they logged in with a password here, and can log out.
        forgets: the projects whose data they may have forgotten; None is all.
    """

    name: str
    projects: Visible
    has_login: bool = False
    forgets: Visible = frozenset()

    def may_forget(self, project: str) -> bool:
        """Whether they may have data of a project forgotten."""
        return self.forgets is None or project in self.forgets


class Access:
    """Decides.

    Raises:
        UsersError: the users file can't be read.
    """

    def __init__(self, settings: DashboardSettings) -> None:
        self._settings = settings
        self.users = (
            WatchedFile("users file", Path(settings.users_file), from_toml, UsersError)
            if settings.users_file
            else None
        )
        secret = settings.secret.get_secret_value() or secrets.token_hex(32)
        self.cookies = Cookies(secret, settings.login_hours * 3600)
        self.tickets = Tickets(secret)
        self.checker = Checker() if self.has_login else None
        self.throttle = Throttle()

    @property
    def has_login(self) -> bool:
        """Whether one logs in with a password here."""
        return bool(self._settings.users_file) and not self._settings.proxy_user_header

    def identify(self, request: Request) -> Identity:
        """Return who sends a request.

        Raises:
            NotLoggedIn: nobody known, and they may log in.
            Forbidden: nobody known, or somebody who may see nothing.
        """
        if self._settings.proxy_user_header:
            return self._from_proxy(request)
        if self.users is None:
            return Identity("", None)
        value = request.cookies.get(cookie_name(request.url.scheme == "https"), "")
        login = self.cookies.read(value) if value else None
        user = self.users.contents().get(login.name) if login else None
        if login is None or user is None or not user.password_hash or not login.is_of(user):
            raise NotLoggedIn
        return Identity(user.name, user.projects, has_login=True, forgets=user.forgets)

    def _from_proxy(self, request: Request) -> Identity:
        if not came_through_proxy(request.scope):
            raise Forbidden(
                "This dashboard answers through its reverse proxy only: ask for it at its address"
            )
        names = request.headers.getlist(self._settings.proxy_user_header)
        if len(names) != 1 or not names[0].strip():
            raise Forbidden("The reverse proxy does not say who you are: log in there")
        name = _text(names[0]).strip()
        if self.users is not None:
            user = self.users.contents().get(name)
            if user is not None:
                return Identity(name, user.projects, forgets=user.forgets)
        if self._settings.proxy_projects:
            return Identity(name, granted(split(self._settings.proxy_projects)))
        raise Forbidden("You may not see any project here: ask who runs this dashboard to grant you one")


def _text(header: str) -> str:
    """A header's value as proxies mean it: its bytes are UTF-8 nearly everywhere, though HTTP says Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
