"""What every page needs: what to read from, who is looking, and how a template becomes an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from spanloom.dashboard.access.identity import Access, Identity
from spanloom.dashboard.access.known_projects import KnownProjects
from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.rendering.printable import printable
from spanloom.dashboard.settings import DashboardSettings
from spanloom.dashboard.web.templating import environment
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.warehouse.client import Warehouse

THEMES = ("light", "dark")
"""What the cookie `theme` may say; anything else follows the system."""


NOBODY = Identity("", frozenset())
"""The identity for what needs no login."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    """One dashboard. Raises `spanloom.dashboard.access.users.UsersError` where its users can't be read."""

    warehouse: Warehouse
    settings: DashboardSettings
    vocabulary: Vocabulary = BUILT_IN
    """By which spans are explained; workers with keys of a user's own have another."""
    templates: Environment = field(default_factory=environment)
    projects: KnownProjects = field(init=False)
    access: Access = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "projects", KnownProjects(self.warehouse))
        object.__setattr__(self, "access", Access(self.settings))

    async def visible(self, request: Request) -> Visible:
        """The projects that the sender of a request may see; None is all.

        Raises `NotLoggedIn` or `Forbidden`.
        """
        return (await self.identify(request)).projects

    async def identify(self, request: Request) -> Identity:
        """Who sends a request. Raises `NotLoggedIn` or `Forbidden`."""
        identity = self.access.identify(request)
        request.state.identity = identity
        return identity

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a template of `templates/`; the context is what it names, and what `base.html` needs.

        `now` is there for relative times; `query` is the request's, to mark what is chosen.
        """
        theme = request.cookies.get("theme", "")
        given = {
            "theme": theme if theme in THEMES else "",
            "path": request.url.path,
            "query": request.query_params,
            "now": _utc_now(),
            "identity": getattr(request.state, "identity", NOBODY),
        }
        return HTMLResponse(printable(self.templates.get_template(template).render(given | context)), status)
