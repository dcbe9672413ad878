"""`spanloom replay` on the command line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Project, Stop, app, console, point_in_time, problems, utf8

if TYPE_CHECKING:
    from spanloom.commands.replaying.progress import Progress
    from spanloom.commands.replaying.run import Replay
    from spanloom.commands.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = 2**64
"""Later than any time that a span can have, nanoseconds since the epoch."""


@app.command()
def replay(
    archive: Annotated[
        list[Path] | None,
        typer.Argument(
            help="OTLP files of an archive, or folders of them; without any, what ClickHouse has stored."
        ),
    ] = None,
    begin: Annotated[
        str, typer.Option("--from", help="Spans that start from then on: 30m, 24h, 7d, or a date.")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", help="Spans that start before: 30m, 24h, 7d, or a date; now by default.")
    ] = "",
    project: Project = None,
    session: Annotated[str, typer.Option(callback=utf8, help="Only traces that stand in this session.")] = "",
    rate: Annotated[float, typer.Option(min=0.1, help="Spans a second at most.")] = 300,
    max_lag: Annotated[
        int, typer.Option(min=0, help="Pause while the workers have more messages than this to read.")
    ] = 200,
    progress: Annotated[
        Path | None, typer.Option(help="A file that says where the replay stands, to go on from there.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would be sent.")] = False,
) -> None:
    """Send stored spans through the workers once more, which read them by today's conventions and prices.

    A trace of which a span starts in the range is sent whole. What was cut when it was stored keeps what it is
    (docs/replay.md). Sending twice changes nothing, and a span that comes in meanwhile stays the newer one.
    """
    from aiokafka.errors import KafkaError

    from spanloom.commands.otlp_files import FileError
    from spanloom.commands.replaying.progress import Progress, ProgressError, resumed
    from spanloom.kafka.topics import TopicError

    paths = archive or []
    if not paths and not begin:
        raise Stop("--from is missing: say where to begin, such as --from 7d or --from 2026-11-01", code=2)
    if paths and session:
        raise Stop("an archive does not say which session a trace stands in: leave out --session", code=2)
    options = {"--from": begin, "--to": end, "--project": project or "", "--session": session}
    options = {name: value for name, value in options.items() if value}
    options |= {f"archive {number}": str(path) for number, path in enumerate(paths, 1)}
    settings = settings_module.load()
    try:
        kept = resumed(progress, options) if progress else None
        state = kept or Progress(options, *_range(begin, end))
        if state.finished:
            console.print(
                f"this replay is finished, {_sent(state, bool(paths))}: to run it again, delete {progress}"
            )
            return
        again = _replay(state, paths, project, session, rate, max_lag, or_stood=kept is not None)
        asyncio.run(_run(again, settings, state, progress, dry_run))
    except (FileError, ProgressError, TopicError) as error:
        raise Stop(str(error)) from None
    except (KafkaError, OSError) as error:
        raise Stop(
            f"Kafka at {settings.kafka.bootstrap_servers} can't be used ({type(error).__name__}): start it, or set"
            " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
        ) from None


def _range(begin: str, end: str) -> tuple[int, int]:
    start = _nanoseconds(begin, "--from") if begin else 0
    stop = _nanoseconds(end or "0s", "--to") if begin or end else _END
    if stop <= start:
        raise Stop(f"--to {end or 'now'} is not after --from {begin}: exchange them", code=2)
    return start, stop


def _nanoseconds(text: str, option: str) -> int:
    return (point_in_time(text, option) - _EPOCH) // timedelta(microseconds=1) * 1000


def _replay(
    state: Progress,
    paths: list[Path],
    project: str | None,
    session: str,
    rate: float,
    max_lag: int,
    *,
    or_stood: bool,
) -> Replay:
    from spanloom.commands.replaying.run import Replay
    from spanloom.warehouse.stored_spans import StoredRange

    wanted = StoredRange(state.start, state.end, project or "", session, or_stood=or_stood)
    return Replay(wanted, tuple(paths), rate, max_lag)


async def _run(replay: Replay, settings: Settings, state: Progress, file: Path | None, dry_run: bool) -> None:
    from spanloom.commands.replaying.run import run, total
    from spanloom.warehouse.client import connect

    what = "files" if replay.archive else "traces"
    warehouse = connect(settings.clickhouse)
    try:
        all_ = await total(replay, warehouse)
        if dry_run:
            console.print(
                f"about {max(all_ - state.done - state.left_out, 0):,} {what} would be sent", highlight=False
            )
            return
        if file is not None:
            state.save(file)
        if not all_:
            console.print("no trace has a span in that range: nothing was sent")
            return
        columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TextColumn(what))
        # Where nobody watches, a bar is an empty line ahead of what went wrong.
        with Bar(*columns, console=problems, transient=True, disable=not problems.is_terminal) as bar:
            task = bar.add_task("replaying", total=all_, completed=state.done + state.left_out)
            waits = False

            def on_sent() -> None:
                nonlocal waits
                waits = False
                bar.update(task, completed=state.done + state.left_out)
                if file is not None:
                    state.save(file)

            def on_wait(messages: int) -> None:
                nonlocal waits
                if not waits:
                    waits = True
                    problems.print(
                        f"the workers have {messages:,} messages to read: waiting until they have"
                        f" {replay.most_waiting:,} (--max-lag)",
                        highlight=False,
                    )

            too_large = await run(replay, settings.kafka, warehouse, state, on_sent=on_sent, on_wait=on_wait)
    finally:
        warehouse.close()
    console.print(_sent(state, bool(replay.archive)), highlight=False)
    if too_large:
        raise Stop(
            f"{too_large:,} spans are as they were, for they are larger than a message of topic"
            f" {settings.kafka.source_topic} may be: raise its max.message.bytes, and replay again"
        )


def _sent(state: Progress, is_archive: bool) -> str:
    what = ("file" if is_archive else "trace") + ("" if state.done == 1 else "s")
    sent = f"sent {_spans(state.spans)} of {state.done:,} {what} again"
    if state.left_out:
        sent += (
            f"; left out {state.left_out:,} of which some spans are gone (SPANS_DAYS, or a database that was restored):"
            " they would count less than they do"
        )
    if state.forgotten:
        sent += f"; left out {_spans(state.forgotten)} of traces that were forgotten"
    return sent


def _spans(count: int) -> str:
    return f"{count:,} span{'' if count == 1 else 's'}"
