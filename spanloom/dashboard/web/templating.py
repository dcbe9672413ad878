"""The template engine: everything escaped, an unknown name is an error, a few filters for times and numbers."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from spanloom.dashboard.rendering import wording
from spanloom.dashboard.rendering.printable import verbatim
from spanloom.dashboard.web.static_files import static_url


def environment() -> Environment:
    """Return the engine; templates stand in `spanloom/dashboard/templates/`."""
    templates = Environment(
        loader=PackageLoader("spanloom.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["static"] = static_url
    templates.globals["ahead"] = wording.AHEAD
    templates.filters["verbatim"] = verbatim
    for name in wording.__all__:
        templates.filters[name] = getattr(wording, name)
    return templates
