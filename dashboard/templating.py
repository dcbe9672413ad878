"""The template engine: everything escaped, an unknown name is an error, a few filters for times and numbers."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboard import wording
from dashboard.rendering.printable import verbatim
from dashboard.static_files import static_url


def environment() -> Environment:
    """Return the engine; templates stand in `dashboard/templates/`."""
    templates = Environment(
        loader=PackageLoader("dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["static"] = static_url
    templates.filters["verbatim"] = verbatim
    for name in wording.__all__:
        templates.filters[name] = getattr(wording, name)
    return templates
