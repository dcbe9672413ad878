"""What every page needs: where to read, who looks, and how a template becomes an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from dashboard.api.routes import Visible
from dashboard.known_projects import KnownProjects
from dashboard.rendering.printable import printable
from dashboard.settings import DashboardSettings
from dashboard.templating import environment
from warehouse.client import Warehouse

THEMES = ("light", "dark")
"""What the cookie `theme` may say; anything else follows the system."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    """One dashboard."""

    warehouse: Warehouse
    settings: DashboardSettings
    templates: Environment = field(default_factory=environment)
    projects: KnownProjects = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "projects", KnownProjects(self.warehouse))

    async def visible(self, _: Request) -> Visible:
        """The projects that the sender of a request may see; None is all."""
        return None

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
            "user": None,
        }
        return HTMLResponse(printable(self.templates.get_template(template).render(given | context)), status)
