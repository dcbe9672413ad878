"""`spanloom forget`."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Json, Stop, app, console, problems, utf8
from spanloom.commands.settings import Settings
from spanloom.forgetting.erase import WorkersStandStill
from spanloom.forgetting.forget import Forgetting, Step, patient, whoami
from spanloom.forgetting.selection import Counts, Kind, Selection, SelectionError, count
from spanloom.warehouse.client import Warehouse, connect


@app.command()
def forget(
    project: Annotated[str, typer.Option("--project", callback=utf8, help="The project.")],
    session: Annotated[
        str | None, typer.Option("--session", callback=utf8, help="Forget the traces of this session.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", callback=utf8, help="Forget all traces that name this user.")
    ] = None,
    trace: Annotated[str | None, typer.Option("--trace", callback=utf8, help="Forget this trace.")] = None,
    before: Annotated[
        str | None,
        typer.Option(
            "--before", help="Forget the traces that ended before this date (UTC), such as 2026-11-23."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much it would be.")] = False,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Seconds to wait for workers that do not come further.")
    ] = 600,
    as_json: Json = False,
) -> None:
    """Forget what is stored of some traces: their spans, their part of sessions, and what workers remember.

    What a session has besides stays, and its totals follow. Workers must be running; the command waits for them. It may
    be broken off and run again. What remains where, and for how long, is in docs/operations.md.
    """
    selection = _selection(project, session, user, trace, before)
    settings = settings_module.load()
    warehouse = connect(patient(settings.clickhouse))
    try:
        if dry_run:
            counts = asyncio.run(count(warehouse, selection))
        else:
            counts = _forget(settings, warehouse, selection, patience)
    finally:
        warehouse.close()
    if as_json:
        console.print_json(json.dumps({"dry_run": dry_run, **counts._asdict()}))
    elif not counts.traces:
        console.print("nothing of that is stored", highlight=False)
    else:
        console.print(f"{'would forget' if dry_run else 'forgot'} {_amount(counts)}", highlight=False)


def _forget(settings: Settings, warehouse: Warehouse, selection: Selection, patience: int) -> Counts:
    from aiokafka.errors import KafkaError

    from spanloom.kafka.topics import TopicError

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=problems, transient=True, disable=not problems.is_terminal) as progress:
        task = progress.add_task("looking", total=None)

        def show(step: Step) -> None:
            left = f", workers have {step.left} records to read" if step.left else ""
            progress.update(task, description=f"{step.doing}: {step.traces} traces done{left}")

        forgetting = Forgetting(settings.kafka, warehouse, who=whoami(), show=show, patience=patience)
        try:
            return asyncio.run(forgetting.run(selection, settings.worker.refuse_forgotten))
        except (TopicError, WorkersStandStill) as error:
            raise Stop(str(error)) from None
        except (KafkaError, OSError) as error:
            raise Stop(
                f"Kafka at {settings.kafka.bootstrap_servers} can't be used ({type(error).__name__}): start it, or set"
                " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS, and run the command again"
            ) from None


def _selection(
    project: str, session: str | None, user: str | None, trace: str | None, before: str | None
) -> Selection:
    given: dict[Kind, str | None] = {"session": session, "user": user, "trace": trace, "before": before}
    named = [(kind, value) for kind, value in given.items() if value is not None]
    if len(named) != 1:
        raise Stop("say what to forget: one of --session, --user, --trace and --before", code=2)
    [(kind, value)] = named
    try:
        return Selection.of(project, kind, value)
    except SelectionError as error:
        raise Stop(str(error), code=2) from None


def _amount(counts: Counts) -> str:
    parts = (
        (counts.traces, "trace"),
        (counts.spans, "span"),
        (counts.sessions, "session"),
    )
    traces, spans, sessions = (f"{number} {name}{'' if number == 1 else 's'}" for number, name in parts)
    return f"{traces} with {spans}, of {sessions}"
