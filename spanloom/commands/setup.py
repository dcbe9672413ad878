"""Commands that are run once: topics and how far they are read, the schema, and sending files of spans."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Json, Stop, app, console, point_in_time, problems, run_with_kafka, utf8

if TYPE_CHECKING:
    from spanloom.kafka.topics import Outcome

_SKIPPED = 20
"""Lines about what was skipped."""


@app.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Bring ClickHouse's schema up to date; safe to run twice and from several places at once."""
    from spanloom.warehouse.schema.migrate import migrate as run_migrations

    done = run_migrations(settings_module.load().clickhouse, dry_run)
    if as_json:
        console.print_json(json.dumps({"dry_run": dry_run, "changes": done}))
    elif not done:
        console.print("the schema is up to date")
    for name in done if not as_json else ():
        console.print(f"{'would apply' if dry_run else 'applied'} {name}", highlight=False)


@app.command()
def topics(as_json: Json = False) -> None:
    """Create the topics with the right partitions and settings; say how existing ones differ, and what harms."""
    from spanloom.kafka.topics import TopicError, ensure

    settings = settings_module.load().kafka
    try:
        outcomes = run_with_kafka(ensure(settings), settings.bootstrap_servers)
    except TopicError as error:
        raise Stop(str(error)) from None
    if as_json:
        rows = [
            {
                "topic": outcome.topic,
                "created": outcome.created,
                "differences": [each.text for each in outcome.differences],
                "problems": [
                    {"problem": each.text, "mend": each.mend} for each in outcome.differences if each.harms
                ],
                "risks": [
                    {"risk": each.text, "mend": each.mend} for each in outcome.differences if each.is_risk
                ],
            }
            for outcome in outcomes
        ]
        console.print_json(json.dumps(rows))
    else:
        for outcome in outcomes:
            _print_topic(outcome)
    if any(outcome.harmed for outcome in outcomes):
        raise Stop("some topics are not as they should be, see above: nothing of them was changed", code=2)


def _print_topic(outcome: Outcome) -> None:
    harmless = "; ".join(each.text for each in outcome.differences if not each.mend)
    state = "created" if outcome.created else "exists"
    if harmless:
        state += f" ({harmless}: no harm)"
    if outcome.harmed:
        state += ", but is not as it should be:"
    elif any(each.is_risk for each in outcome.differences):
        state += ", and may lose what it has acknowledged:"
    # Commands are to be copied: a line is a line.
    console.print(f"{outcome.topic:32} {state}", markup=False, highlight=False, soft_wrap=True)
    for each in outcome.differences:
        if each.mend:
            console.print(f"  {each.text}\n    {each.mend}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def lag(as_json: Json = False) -> None:
    """Show how many records workers have not read yet, topic by topic; all 0 means that everything is through."""
    from spanloom.kafka.lag import lag as read_lag
    from spanloom.kafka.topics import TopicError

    settings = settings_module.load().kafka
    try:
        found = run_with_kafka(read_lag(settings), settings.bootstrap_servers)
    except TopicError as error:
        raise Stop(str(error)) from None
    if as_json:
        console.print_json(json.dumps([asdict(each) for each in found]))
    else:
        for each in found:
            console.print(
                f"{each.topic:32} {each.lag:12,} of {each.records:,}", markup=False, highlight=False
            )


@app.command()
def rewind(
    since: Annotated[str, typer.Option(help="What came to Kafka since: 30m, 24h, 7d, or a date.")],
    as_json: Json = False,
) -> None:
    """Have the workers, which must be stopped, read spans again that are still in Kafka."""
    from spanloom.kafka.rewind import RewindError
    from spanloom.kafka.rewind import rewind as move

    settings = settings_module.load().kafka
    start = round(point_in_time(since).timestamp() * 1000)
    try:
        moved = run_with_kafka(move(settings, start), settings.bootstrap_servers)
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
            help="OTLP files (.pb, .json, JSON lines; also .gz), folders of them, or - for standard input.",
            allow_dash=True,
        ),
    ],
    topic: Annotated[str | None, typer.Option(help="The topic; the one workers read by default.")] = None,
    project: Annotated[str, typer.Option(callback=utf8, help="The project the spans belong to.")] = "",
    retime: Annotated[
        bool, typer.Option("--retime", help="Move the spans' times so that they end now.")
    ] = False,
) -> None:
    """Produce OTLP files to Kafka, of any size; what can't be sent is named, and the rest is sent."""
    from spanloom.commands.otlp_files import Skipped
    from spanloom.commands.sending.send import SendError
    from spanloom.commands.sending.send import send as send_files

    settings = settings_module.load().kafka
    shown = 0

    def show_skipped(skipped: Skipped) -> None:
        nonlocal shown
        shown += 1
        if shown <= _SKIPPED:
            problems.print(str(skipped), markup=False, highlight=False, soft_wrap=True)

    # Where nobody watches, a bar is an empty line ahead of what went wrong.
    columns = (TextColumn("sent"), BarColumn(), TextColumn("{task.completed} messages"))
    with Progress(*columns, console=problems, transient=True, disable=not problems.is_terminal) as progress:
        task = progress.add_task("sending", total=None)
        try:
            sent = asyncio.run(
                send_files(
                    paths,
                    settings,
                    topic=topic or settings.source_topic,
                    project=project,
                    retime=retime,
                    progress=lambda done: progress.update(task, completed=done),
                    skipped=show_skipped,
                )
            )
        except SendError as error:
            raise Stop(str(error)) from None
    if shown > _SKIPPED:
        problems.print(f"and {shown - _SKIPPED:,} more were skipped", highlight=False)
    if sent.messages:
        messages = "message" if sent.messages == 1 else "messages"
        console.print(f"sent {sent.messages} {messages} to {topic or settings.source_topic}", highlight=False)
    if not sent.complete:
        raise typer.Exit(1)
