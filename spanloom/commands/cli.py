"""The command line `spanloom`."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from spanloom.commands import access, conventions, dead_letters, run, setup, view
from spanloom.commands.console import Stop, app, problems
from spanloom.commands.forgetting import forget
from spanloom.commands.replaying import command as replay
from spanloom.commands.settings import SettingsError
from spanloom.kafka.connection import CertificateError
from spanloom.warehouse.errors import Unavailable, WarehouseError

__all__ = ["app", "main"]

# Each has added its commands to the app.
_COMMANDS = (run, setup, dead_letters, replay, forget, view, conventions, access)


def _show_version(wanted: bool) -> None:
    if wanted:
        print("spanloom", version("spanloom"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    del version  # its callback has done it all


def main() -> None:
    """Run the command line; every error a user can cause is one sentence on standard error."""
    # An error is reported once, in our words.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except Stop as stop:
        _print_problem(str(stop))
        sys.exit(stop.code)
    except (SettingsError, CertificateError, WarehouseError) as error:
        _print_problem(str(error))
        sys.exit(1)
    except Unavailable as error:
        _print_problem(f"{error}: start it, or set SPANLOOM_CLICKHOUSE__URL")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)


def _print_problem(sentence: str) -> None:
    problems.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
