"""Commands that read ClickHouse: sessions, one session, one trace, models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from spanloom.commands.console import Json, Project, Stop, app, console, point_in_time, utf8

if TYPE_CHECKING:
    from spanloom.spans.pricing.prices import Prices

_NARROW = "look less far back with --since, or name a --project"


@app.command()
def sessions(
    since: Annotated[str, typer.Option(help="Only sessions active since: 30m, 24h, 7d, or a date.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at most.")] = 20,
    sort: Annotated[str, typer.Option(help="cost, tokens, duration, traces or start.")] = "start",
    project: Project = None,
    as_json: Json = False,
) -> None:
    """List sessions, each with its whole totals."""
    from spanloom.commands.viewing import show
    from spanloom.commands.viewing.asking import SORTS, answer, first_sessions
    from spanloom.warehouse.queries.filters import Filter

    if sort not in SORTS:
        raise Stop(f"sessions can't be sorted by {sort}: use one of {', '.join(SORTS)}", code=2)
    wanted = Filter(project=project, since=point_in_time(since))
    rows = answer(lambda warehouse: first_sessions(warehouse, wanted, SORTS[sort], limit), _NARROW)
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
    session_id: Annotated[str, typer.Argument(callback=utf8, help="The session's ID.")],
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Show one session: its totals and its traces in order."""
    from spanloom.commands.viewing import show
    from spanloom.commands.viewing.asking import answer, whole_session

    found = answer(lambda warehouse: whole_session(warehouse, session_id, project), "name its --project")
    if found is None:
        raise Stop(f"there is no session {session_id}: `spanloom sessions --since 30d` lists those there are")
    if as_json:
        typer.echo(show.as_json(found))
    else:
        console.print(show.session(found.session, found.traces, show.now()))


@app.command()
def trace(
    trace_id: Annotated[str, typer.Argument(help="The trace's ID, 32 hexadecimal digits.")],
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Show one trace: its totals and the tree of its spans; as JSON with all that the spans carried."""
    from spanloom.commands.viewing import show
    from spanloom.commands.viewing.asking import answer
    from spanloom.warehouse.queries.traces.tree import trace_tree, whole_trace

    if not re.fullmatch(r"[0-9a-fA-F]{32}", trace_id):
        raise Stop("a trace ID has 32 hexadecimal digits: copy it from `spanloom session ID --json`", code=2)
    missing = Stop(f"there is no trace {trace_id}")
    if as_json:
        whole = answer(
            lambda warehouse: whole_trace(warehouse, trace_id, project),
            "name its --project, or leave out --json to see it without its texts",
        )
        if whole is None:
            raise missing
        typer.echo(show.as_json(whole))
    else:
        tree = answer(lambda warehouse: trace_tree(warehouse, trace_id, project), "name its --project")
        if tree is None:
            raise missing
        console.print(show.trace(trace_id.lower(), tree))


@app.command()
def models(
    since: Annotated[str, typer.Option(help="Only calls since: 30m, 24h, 7d, or a date.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at most.")] = 50,
    unpriced: Annotated[
        bool,
        typer.Option(
            "--unpriced", help="Only models with calls whose cost is not known, why, and what to do."
        ),
    ] = False,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """List the models that were called, those whose price is not known first.

    A price that is not known is never guessed: the call costs 0 and counts in unpriced_call_count. To give it one,
    write it into a TOML file and name the file in SPANLOOM_WORKER__PRICES_FILE (docs/pricing.md); it holds for spans
    that workers read from then on, and for stored ones once `spanloom replay` has sent them again. With --unpriced the
    lines to write are shown.
    """
    from spanloom.commands.viewing import show
    from spanloom.commands.viewing.asking import answer
    from spanloom.warehouse.queries.overview.models import models as used_models

    start = point_in_time(since)
    rows = answer(lambda warehouse: used_models(warehouse, project, start, limit, unpriced=unpriced), _NARROW)
    if unpriced and rows:
        from spanloom.commands.viewing import unpriced as reasons

        explained = reasons.explained(rows, _prices())
        if as_json:
            typer.echo(show.as_json(explained))
        else:
            console.print(reasons.unpriced(explained))
            if lines := reasons.entries(explained):
                typer.echo(f"\n{lines}")
    elif as_json:
        typer.echo(show.as_json(rows))
    elif rows:
        console.print(show.models(rows))
    elif unpriced:
        console.print(f"every call since {since} has a price", highlight=False)
    else:
        console.print(
            f"no model was called in the last {since}: send some spans, or look further back with --since"
        )


def _prices() -> Prices:
    """The prices that a worker with these settings would have."""
    from spanloom.commands import settings
    from spanloom.commands.serving.price_file import PriceFileError, read_prices
    from spanloom.spans.pricing.prices import Prices

    try:
        return Prices(read_prices(settings.load().worker.prices_file))
    except PriceFileError as error:
        raise Stop(f"SPANLOOM_WORKER__PRICES_FILE: {error}") from None
