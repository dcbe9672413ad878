"""Questions to ClickHouse: sessions, one session, one trace, models."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Json, Project, Stop, app, console
from spanloom.warehouse.queries.read import SORT_KEYS, SortKey


@app.command()
def sessions(
    since: Annotated[str, typer.Option(help="Only sessions active since: 30m, 24h, 7d, or a date.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at the most.")] = 20,
    sort: Annotated[str, typer.Option(help="cost, tokens, duration, traces or start.")] = "start",
    project: Project = None,
    as_json: Json = False,
) -> None:
    """List sessions, each with its whole totals."""
    from spanloom.commands import show
    from spanloom.warehouse.queries.read import sessions as read_sessions

    if sort not in SORT_KEYS:
        raise Stop(f"sessions can't be sorted by {sort}: use one of {', '.join(SORT_KEYS)}", code=2)
    key: SortKey = sort
    rows = _read(lambda warehouse: read_sessions(warehouse, project, _since(since), limit, key))
    if as_json:
        typer.echo(show.as_json(rows))
    elif rows:
        console.print(show.sessions(rows, show.now()))
    else:
        console.print(
            f"no session was active in the last {since}: send some spans, or look further back with --since"
        )


@app.command()
def session(
    session_id: Annotated[str, typer.Argument(help="The session's ID.")],
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Show one session: its totals and its traces in order."""
    from spanloom.commands import show
    from spanloom.warehouse.queries.read import session as read_session

    detail = _read(lambda warehouse: read_session(warehouse, session_id, project))
    if detail is None:
        raise Stop(f"there is no session {session_id}: `spanloom sessions --since 30d` lists those there are")
    if as_json:
        typer.echo(show.as_json(detail))
    else:
        console.print(show.session(detail, show.now()))


@app.command()
def trace(
    trace_id: Annotated[str, typer.Argument(help="The trace's ID, 32 hexadecimal digits.")],
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Show one trace: its totals and the tree of its spans."""
    from spanloom.commands import show
    from spanloom.warehouse.queries.read import trace as read_trace

    if not re.fullmatch(r"[0-9a-fA-F]{32}", trace_id):
        raise Stop("a trace ID has 32 hexadecimal digits: copy it from `spanloom session ID --json`", code=2)
    detail = _read(lambda warehouse: read_trace(warehouse, trace_id, project))
    if detail is None:
        raise Stop(f"there is no trace {trace_id}")
    if as_json:
        typer.echo(show.as_json(detail))
    else:
        console.print(show.trace(detail))


@app.command()
def models(
    since: Annotated[str, typer.Option(help="Only calls since: 30m, 24h, 7d, or a date.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at the most.")] = 50,
    unpriced: Annotated[
        bool, typer.Option("--unpriced", help="Only models with calls whose price is not known.")
    ] = False,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """List the models that were called, those whose price is not known first.

    A price that is not known is never guessed: the call costs 0 and counts in unpriced_call_count. To give it one,
    write it into a TOML file and name the file in SPANLOOM_WORKER__PRICES_FILE (docs/pricing.md); it holds for spans
    that workers read from then on.
    """
    from spanloom.commands import show
    from spanloom.warehouse.queries.read import models as read_models

    rows = _read(lambda warehouse: read_models(warehouse, project, _since(since), limit, unpriced=unpriced))
    if as_json:
        typer.echo(show.as_json(rows))
    elif rows:
        console.print(show.models(rows))
    elif unpriced:
        console.print(f"every call since {since} has a price", highlight=False)
    else:
        console.print(
            f"no model was called in the last {since}: send some spans, or look further back with --since"
        )


def _read(question: Any) -> Any:
    from spanloom.warehouse.client import connect

    warehouse = connect(settings_module.load().clickhouse)
    try:
        return asyncio.run(question(warehouse))
    finally:
        warehouse.close()


def _since(text: str) -> datetime:
    amount = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if amount:
        units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        try:
            return datetime.now(UTC) - timedelta(**{units[amount[2]]: int(amount[1])})
        except OverflowError:
            return datetime(1970, 1, 1, tzinfo=UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(
            f"--since {text} is no time: write 30m, 24h, 7d, or a date such as 2026-11-23", code=2
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
