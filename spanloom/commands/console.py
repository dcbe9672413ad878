"""What all commands share: the app they belong to, where they print, and how they end with a sentence."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

T = TypeVar("T")

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2262, 1, 1, tzinfo=UTC)  # beyond, nanoseconds don't fit into 64 bits

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


def run_with_kafka(work: Coroutine[Any, Any, T], servers: str) -> T:
    """Return what work with Kafka returns. Raises `Stop` where Kafka can't be reached or refuses."""
    from aiokafka.errors import KafkaError

    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        raise Stop(
            f"Kafka at {servers} can't be used ({type(error).__name__}): start it, or set"
            " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
        ) from None


def point_in_time(text: str, option: str = "--since") -> datetime:
    """Return the time that an option names: so long ago (30m, 24h, 7d), or a date. Raises `Stop` where it is none."""
    amount = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if amount:
        units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        try:
            return max(_FIRST, datetime.now(UTC) - timedelta(**{units[amount[2]]: int(amount[1])}))
        except OverflowError:
            return _FIRST
    try:
        time = datetime.fromisoformat(text)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        time = None
    if time is None or not _FIRST <= time < _LAST:
        raise Stop(
            f"{option} {text} is no time from 1970 to 2261: write 30m, 24h, 7d, or a date such as 2026-11-23",
            code=2,
        )
    return time


Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Project = Annotated[str | None, typer.Option("--project", callback=utf8, help="Only this project.")]
