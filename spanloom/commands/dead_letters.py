"""Dead letters: which there are and why, what is in one, and sending them once more."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Json, Stop, app, console, point_in_time, problems, run_with_kafka, utf8

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from spanloom.kafka.dead_letters import Letter, Place, Wanted

letters_app = typer.Typer(
    name="dead-letters", help="What could not be read (docs/schema.md).", no_args_is_help=True
)
app.add_typer(letters_app)

_LINES = 20
"""Lines about letters that are not sent, of each reason."""

_Reason = Annotated[
    str, typer.Option("--reason", callback=utf8, help="Only those whose reason holds this text.")
]
_Topic = Annotated[str, typer.Option("--topic", callback=utf8, help="Only those that came from this topic.")]
_OfProject = Annotated[
    str,
    typer.Option("--project", callback=utf8, help="Only those whose message's header named this project."),
]
_Since = Annotated[
    str | None, typer.Option("--since", help="Only those written since: 30m, 24h, 7d, or a date.")
]
_Until = Annotated[str | None, typer.Option("--until", help="Only those written before.")]


@letters_app.command("list")
def list_letters(
    reason: _Reason = "",
    topic: _Topic = "",
    project: _OfProject = "",
    since: _Since = None,
    until: _Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at most.")] = 20,
    as_json: Json = False,
) -> None:
    """List dead letters, the newest first, without what is in them."""
    from spanloom.commands.viewing import letters as show
    from spanloom.kafka.dead_letters import DeadLetters

    wanted = _wanted(reason, topic, project, since, until)
    kafka = settings_module.load().kafka

    async def newest() -> list[Letter]:
        async with DeadLetters(kafka) as letters:
            return await letters.newest(wanted, limit)

    found = _run(newest(), kafka.bootstrap_servers)
    if as_json:
        typer.echo(json.dumps([show.members(letter) for letter in found], indent=2))
    elif found:
        console.print(show.table(found))
    else:
        console.print("there are no such dead letters")


@letters_app.command("show")
def show_letter(
    letter: Annotated[str, typer.Argument(help="Which one, as `list` names it: PARTITION:OFFSET.")],
    payload: Annotated[
        Path | None,
        typer.Option(
            "--payload",
            help="Write what is in it to this new file, as the bytes they are; - writes them, and nothing else, to"
            " standard output.",
            allow_dash=True,
        ),
    ] = None,
    decoded: Annotated[
        bool, typer.Option("--decoded", help="Show the spans in it, as far as they can be read.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one dead letter: where it came from, why it is one, and its headers; what is in it only where asked for."""
    from spanloom.commands.viewing import letters as show
    from spanloom.kafka.dead_letters import DeadLetters

    place = _place(letter)
    kafka = settings_module.load().kafka

    async def one() -> tuple[Letter, Sequence[tuple[str, bytes]], bytes] | None:
        async with DeadLetters(kafka) as letters:
            return await letters.one(place)

    read = _run(one(), kafka.bootstrap_servers)
    if read is None:
        raise Stop(f"there is no dead letter {place}: `spanloom dead-letters list` lists those there are")
    found, headers, value = read
    if payload is not None:
        _write(payload, value)
        if str(payload) == "-":
            return
    members: dict[str, Any] = {
        **show.members(found),
        "holds": show.kind(value),
        "headers": {name: (header or b"").decode(errors="replace") for name, header in headers},
    }
    if decoded:
        members["decoded"] = show.decoded(value)
    if as_json:
        typer.echo(json.dumps(members, indent=2))
        return
    for name, text in (
        ("letter", str(found.place)),
        ("written", show.written(found)),
        ("came from", show.came_from(found)),
        ("reason", found.reason),
        ("bytes", show.size(found)),
        ("holds", members["holds"]),
        *((f"header {name}", text) for name, text in members["headers"].items()),
    ):
        console.print(
            f"{show.printable(name):24} {show.printable(text)}", markup=False, highlight=False, soft_wrap=True
        )
    if decoded:
        # As JSON in ASCII nothing in it can move the cursor.
        typer.echo(json.dumps(members["decoded"], indent=2))


@letters_app.command("replay")
def replay_letters(
    letters: Annotated[
        list[str] | None, typer.Argument(help="Which ones, as `list` names them: PARTITION:OFFSET.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    reason: _Reason = "",
    topic: _Topic = "",
    project: _OfProject = "",
    since: _Since = None,
    until: _Until = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: Json = False,
) -> None:
    """Send dead letters once more to the topic that they came from, for workers that can read them now.

    They go as they were, with the project of their header. Letters that were cut, or came from a topic that only
    workers write, are skipped. It may be run twice: spans count once however often they are sent.
    """
    from spanloom.commands.sending.letters import replay
    from spanloom.commands.viewing import letters as show

    wanted = _wanted(reason, topic, project, since, until, [_place(text) for text in letters or ()])
    if every == bool(letters or reason or topic or project or since or until):
        raise Stop(
            "say which dead letters to send: some of PARTITION:OFFSET, --reason, --topic, --project, --since and"
            " --until, or --all",
            code=2,
        )
    kafka = settings_module.load().kafka
    lines: dict[str, int] = {}

    def each(letter: Letter, why_not: str) -> None:
        if dry_run or why_not:
            done = "would be sent" if dry_run else "sent"
            lines[why_not] = lines.get(why_not, 0) + 1
            if lines[why_not] <= _LINES:
                text = f"not sent: {why_not}" if why_not else f"{done} to {letter.topic}"
                problems.print(
                    f"{letter.place} {show.printable(text)}", markup=False, highlight=False, soft_wrap=True
                )

    done = _run(replay(kafka, wanted, dry_run=dry_run, each=each), kafka.bootstrap_servers)
    missing = sorted(wanted.places - done.seen)
    if as_json:
        result = {
            "dry_run": dry_run,
            "sent": done.sent,
            "skipped": [{"reason": why, "letters": count} for why, count in done.skipped.most_common()],
            "missing": [str(place) for place in missing],
        }
        typer.echo(json.dumps(result, indent=2))
    else:
        console.print(f"{'would send' if dry_run else 'sent'} {done.sent:,} dead letters", highlight=False)
        for why, count in done.skipped.most_common():
            console.print(
                f"skipped {count:,}: {show.printable(why)}", markup=False, highlight=False, soft_wrap=True
            )
    if missing:
        raise Stop(f"there is no dead letter {', '.join(map(str, missing))}")
    if done.failed or (letters and done.skipped):
        raise Stop("some dead letters could not be sent, see above")


def _wanted(
    reason: str, topic: str, project: str, since: str | None, until: str | None, places: Sequence[Place] = ()
) -> Wanted:
    from spanloom.kafka.dead_letters import ALWAYS, Wanted

    def milliseconds(text: str | None, option: str, default: int) -> int:
        return round(point_in_time(text, option).timestamp() * 1000) if text else default

    return Wanted(
        reason,
        topic,
        project,
        milliseconds(since, "--since", 0),
        milliseconds(until, "--until", ALWAYS),
        frozenset(places),
    )


def _place(text: str) -> Place:
    from spanloom.kafka.dead_letters import Place

    if not re.fullmatch(r"[0-9]{1,9}:[0-9]{1,18}", text):
        raise Stop(
            "a dead letter is named PARTITION:OFFSET, as `spanloom dead-letters list` shows it", code=2
        )
    partition, _, offset = text.partition(":")
    return Place(int(partition), int(offset))


def _write(path: Path, value: bytes) -> None:
    if str(path) == "-":
        sys.stdout.buffer.write(value)
        sys.stdout.buffer.flush()
        return
    try:
        # It may hold what people have written: others on this machine need not read it.
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(value)
    except FileExistsError:
        raise Stop(f"{path} is there already: choose another file for --payload") from None
    except OSError as error:
        raise Stop(f"{path} can't be written ({error.strerror}): choose another file for --payload") from None


def _run(work: Coroutine[Any, Any, Any], servers: str) -> Any:
    from spanloom.kafka.dead_letters import LetterError
    from spanloom.kafka.topics import TopicError

    try:
        return run_with_kafka(work, servers)
    except (LetterError, TopicError) as error:
        raise Stop(str(error)) from None
