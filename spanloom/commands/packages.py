"""Packages that only some commands need."""

from __future__ import annotations

from spanloom.commands.console import Stop


def need_dashboard() -> None:
    """Make sure that what the dashboard needs is installed.

    Raises:
        Stop: it is not.
    """
    try:
        import argon2
        import fastapi
        import jinja2
        import uvicorn
    except ModuleNotFoundError as error:
        raise Stop(
            f"the dashboard needs the package {error.name}, which is not installed: install spanloom[dashboard]"
        ) from None
    del argon2, fastapi, jinja2, uvicorn
