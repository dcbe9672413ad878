"""How spans are read: a user's own keys, and why a number is what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Stop, app, console, problems, utf8

if TYPE_CHECKING:
    from spanloom.spans.conventions.vocabulary import Vocabulary
    from spanloom.spans.pricing.prices import Prices

conventions_app = typer.Typer(
    name="conventions", help="Keys of your own (docs/conventions.md).", no_args_is_help=True
)
app.add_typer(conventions_app)


@conventions_app.command("check")
def check(file: Annotated[Path, typer.Argument(help="The file with your keys.")]) -> None:
    """Say what a file of keys of your own adds, or every mistake in it."""
    from spanloom.commands.serving.conventions_file import ConventionsFileError, read_keys
    from spanloom.commands.viewing import explained

    try:
        own = read_keys(str(file))
    except ConventionsFileError as error:
        raise Stop(str(error)) from None
    console.print(explained.keys(own), highlight=False, soft_wrap=True)


@app.command()
def explain(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="OTLP files (.pb, .json, JSON lines; also .gz), folders of them, or - for standard input.",
            allow_dash=True,
        ),
    ],
    conventions: Annotated[
        Path | None,
        typer.Option(help="Keys of your own to read by; SPANLOOM_WORKER__CONVENTIONS_FILE by default."),
    ] = None,
    trace: Annotated[
        str | None, typer.Option(help="Only the trace with this ID, or whose ID begins so.")
    ] = None,
    project: Annotated[str, typer.Option(callback=utf8, help="The project the spans belong to.")] = "",
) -> None:
    """Say why numbers are what they are: which attribute gave each field, and which rule decided.

    It reads and folds the spans as a worker with these settings would, and writes nothing anywhere.
    """
    from spanloom.commands.otlp_files import FileError, find
    from spanloom.commands.viewing import explained
    from spanloom.spans.explaining.trace import explain as explain_messages
    from spanloom.spans.reading.decode import OtlpMessage

    settings = settings_module.load()
    vocabulary = _vocabulary(conventions, settings.worker.conventions_file)
    try:
        files = find(paths)
    except FileError as error:
        raise Stop(str(error)) from None
    traces, rejects = explain_messages(
        [OtlpMessage(file.value, project) for file in files],
        limits=settings.limits.limits(),
        prices=_prices(settings.worker.prices_file),
        vocabulary=vocabulary,
    )
    wanted = [each for each in traces if each.trace.key.trace_id.hex().startswith((trace or "").lower())]
    for each in wanted:
        # Where nobody watches a line is a line, for `grep`.
        console.print(explained.trace(each), highlight=False, soft_wrap=not console.is_terminal)
    for reject in rejects:
        problems.print(
            f"{files[reject.message].where.rstrip(',')}: {reject.reason}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if not wanted:
        raise Stop(f"there is no trace {trace} in them" if trace else "there are no spans in them")


def _vocabulary(named: Path | None, setting: str) -> Vocabulary:
    from spanloom.commands.serving.conventions_file import ConventionsFileError, read_vocabulary

    before = "" if named else "SPANLOOM_WORKER__CONVENTIONS_FILE: "
    try:
        return read_vocabulary(str(named) if named else setting)
    except ConventionsFileError as error:
        raise Stop("\n".join(before + mistake for mistake in error.mistakes)) from None


def _prices(path: str) -> Prices:
    from spanloom.commands.serving.price_file import PriceFileError, read_prices
    from spanloom.spans.pricing.prices import Prices

    try:
        return Prices(read_prices(path))
    except PriceFileError as error:
        raise Stop(f"SPANLOOM_WORKER__PRICES_FILE: {error}") from None
