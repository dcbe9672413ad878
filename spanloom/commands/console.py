"""What all commands share: the app they belong to, where they print, and how they end with a sentence."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    name="spanloom",
    help="Weaves OpenTelemetry spans on Kafka into exact LLM sessions in ClickHouse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Where nobody watches there is no width to fit into.
console = Console(width=None if sys.stdout.isatty() else 200)
problems = Console(stderr=True)


class Stop(Exception):
    """Ends the command with one sentence and an exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def utf8(text: str | None) -> str | None:
    """Return the text of an argument or option. Raises `Stop` where it is no UTF-8, as only a path may be."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise Stop(
            "a name, an ID or a project on the command line is not UTF-8: correct it", code=2
        ) from None
    return text


Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Project = Annotated[str | None, typer.Option("--project", callback=utf8, help="Only this project.")]
