"""Commands that are run once: topics, the schema, and sending files of spans."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Json, Stop, app, console, problems, utf8
from spanloom.commands.view import time_since

T = TypeVar("T")


@app.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Bring ClickHouse's schema up to date; safe to run twice and from several places at once."""
    from spanloom.warehouse.migrate import migrate as run_migrations

    done = run_migrations(settings_module.load().clickhouse, dry_run)
    if as_json:
        console.print_json(json.dumps({"dry_run": dry_run, "changes": done}))
    elif not done:
        console.print("the schema is up to date")
    for name in done if not as_json else ():
        console.print(f"{'would apply' if dry_run else 'applied'} {name}", highlight=False)


@app.command()
def topics(as_json: Json = False) -> None:
    """Create the topics with the right partitions and settings; say how existing ones differ."""
    from spanloom.kafka.topics import TopicError, ensure

    settings = settings_module.load().kafka
    try:
        outcomes = _run_with_kafka(ensure(settings), settings.bootstrap_servers)
    except TopicError as error:
        raise Stop(str(error)) from None
    if as_json:
        rows = [
            {"topic": o.topic, "created": o.created, "differences": list(o.differences)} for o in outcomes
        ]
        console.print_json(json.dumps(rows))
    else:
        for outcome in outcomes:
            differs = "; ".join(outcome.differences)
            state = (
                "created" if outcome.created else f"exists, but differs: {differs}" if differs else "exists"
            )
            console.print(f"{outcome.topic:32} {state}", highlight=False)
    if any(outcome.differences for outcome in outcomes):
        raise Stop("some topics are not as they should be, see above: nothing of them was changed", code=2)


@app.command()
def rewind(
    since: Annotated[str, typer.Option(help="What came to Kafka since: 30m, 24h, 7d, or a date.")],
    as_json: Json = False,
) -> None:
    """Have the workers, which must be stopped, read spans again that are still in Kafka."""
    from spanloom.kafka.rewind import RewindError
    from spanloom.kafka.rewind import rewind as move

    settings = settings_module.load().kafka
    start = round(time_since(since).timestamp() * 1000)
    try:
        moved = _run_with_kafka(move(settings, start), settings.bootstrap_servers)
    except RewindError as error:
        raise Stop(str(error)) from None
    if as_json:
        rows = [{"partition": number, "from": old, "to": new} for number, (old, new) in moved.items()]
        console.print_json(json.dumps(rows))
        return
    for number, (old, new) in moved.items():
        console.print(f"{settings.source_topic} {number}: from {old} back to {new}", highlight=False)
    if not moved:
        console.print(f"nothing that came since {since} was read before", highlight=False)


@app.command()
def send(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="OTLP files (.pb, .json), folders of them, or - for standard input.", allow_dash=True
        ),
    ],
    topic: Annotated[str | None, typer.Option(help="The topic; the one workers read by default.")] = None,
    project: Annotated[str, typer.Option(callback=utf8, help="The project the spans belong to.")] = "",
    retime: Annotated[
        bool, typer.Option("--retime", help="Move the spans' times so that they end now.")
    ] = False,
) -> None:
    """Produce OTLP files to Kafka."""
    from spanloom.commands.otlp_files import FileError
    from spanloom.commands.send import SendError
    from spanloom.commands.send import send as send_files

    settings = settings_module.load().kafka
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn())
    # Where nobody watches, a bar is an empty line ahead of what went wrong.
    with Progress(*columns, console=problems, transient=True, disable=not problems.is_terminal) as progress:
        task = progress.add_task("sending", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            count = asyncio.run(
                send_files(
                    paths,
                    settings,
                    topic=topic or settings.source_topic,
                    project=project,
                    retime=retime,
                    progress=show,
                )
            )
        except (FileError, SendError) as error:
            raise Stop(str(error)) from None
    messages = "message" if count == 1 else "messages"
    console.print(f"sent {count} {messages} to {topic or settings.source_topic}", highlight=False)


def _run_with_kafka(work: Coroutine[Any, Any, T], servers: str) -> T:
    from aiokafka.errors import KafkaError

    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        raise Stop(
            f"Kafka at {servers} can't be used ({type(error).__name__}): start it, or set"
            " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
        ) from None
