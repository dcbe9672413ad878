"""The command line `spanloom`."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import signal
import ssl
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from spanloom import settings as settings_module
from spans.price_table import PriceTable
from warehouse.errors import Unavailable, WarehouseError
from warehouse.read import SORT_KEYS, SortKey

T = TypeVar("T")

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

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Project = Annotated[str | None, typer.Option("--project", help="Only this project.")]


class Stop(Exception):
    """Ends the command with one sentence and an exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def main() -> None:
    """Run the command line; every error a user can cause is one sentence on standard error."""
    # What goes wrong is said once, in our words.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except Stop as stop:
        _say_problem(str(stop))
        sys.exit(stop.code)
    except (settings_module.SettingsError, WarehouseError) as error:
        _say_problem(str(error))
        sys.exit(1)
    except Unavailable as error:
        _say_problem(f"{error}: start it, or set SPANLOOM_CLICKHOUSE__URL")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)


def _say_problem(sentence: str) -> None:
    problems.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


@app.command()
def up(
    data: Annotated[Path, typer.Option(help="Folder of the database, logs and process IDs.")] = Path(
        ".spanloom"
    ),
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many workers.")] = 1,
    sample: Annotated[bool, typer.Option("--sample/--no-sample", help="Send recorded conversations.")] = True,
    kafka_port: Annotated[int, typer.Option(min=1, max=65535, help="Where Kafka takes spans.")] = 9092,
    clickhouse_port: Annotated[int, typer.Option(min=1, max=65535, help="Where SQL is answered.")] = 8123,
    otlp_grpc_port: Annotated[int, typer.Option(min=1, max=65535, help="Where OTLP/gRPC goes in.")] = 4317,
    otlp_http_port: Annotated[int, typer.Option(min=1, max=65535, help="Where OTLP/HTTP goes in.")] = 4318,
    dashboard_port: Annotated[int, typer.Option(min=1, max=65535, help="Where the pages are.")] = 8080,
) -> None:
    """Run the whole of spanloom on this machine, until Ctrl-C."""
    from spanloom.up import UpError, run_stack

    # The workers read it; whatever is wrong with it is better said before anything is started.
    _own_prices(settings_module.load().worker.prices_file)
    try:
        asyncio.run(
            run_stack(
                console,
                data=data,
                workers=workers,
                sample=sample,
                kafka_port=kafka_port,
                clickhouse_port=clickhouse_port,
                otlp_grpc_port=otlp_grpc_port,
                otlp_http_port=otlp_http_port,
                dashboard_port=dashboard_port,
            )
        )
    except UpError as error:
        raise Stop(str(error)) from None


@app.command()
def worker() -> None:
    """Run one worker, configured by the environment; SIGTERM ends it after a last checkpoint."""
    # Importing takes seconds, and as a container's first process the worker would not even hear it until then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from agents.topics import TopicError
    from agents.worker import run
    from spans.pricing import Prices
    from warehouse.client import connect

    settings = settings_module.load()
    prices = Prices(_own_prices(settings.worker.prices_file))
    _log_to_stderr()
    try:
        asyncio.run(
            run(
                settings.kafka,
                settings.worker,
                connect(settings.clickhouse),
                limits=settings.limits.limits(),
                prices=prices,
            )
        )
    except TopicError as error:
        raise Stop(str(error)) from None
    except OSError as error:
        raise Stop(
            f"the worker can't listen on {settings.worker.web_host}:{settings.worker.web_port}"
            f" ({error.strerror}): set SPANLOOM_WORKER__WEB_PORT to a free port"
        ) from None


@app.command()
def receiver() -> None:
    """Run one receiver of OTLP over gRPC and HTTP, configured by the environment."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    try:
        from spanloom.receiver import run
    except ModuleNotFoundError as error:
        raise Stop(
            f"the receiver needs the package {error.name}, which is not installed: install spanloom[receiver]"
        ) from None
    from receiver.keys import KeysError

    settings = settings_module.load()
    if name := settings.receiver.missing_file():
        raise Stop(f"{name} names a file that is not there: correct SPANLOOM_RECEIVER__{name.upper()}")
    _log_to_stderr()
    try:
        asyncio.run(run(settings.kafka, settings.receiver))
    except KeysError as error:
        raise Stop(str(error)) from None
    except ssl.SSLError as error:
        raise Stop(
            f"the certificate or its key can't be used ({error.reason or error}): correct"
            " SPANLOOM_RECEIVER__TLS_CERTFILE and SPANLOOM_RECEIVER__TLS_KEYFILE"
        ) from None
    except OSError as error:
        raise Stop(
            f"the receiver can't listen ({error.strerror or error}): set SPANLOOM_RECEIVER__GRPC_PORT, __HTTP_PORT"
            " and __WEB_PORT to free ports, and __HOST to an address of this machine"
        ) from None


@app.command()
def dashboard() -> None:
    """Run the pages and their JSON API, configured by the environment."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))

    _need_dashboard()
    from dashboard.users import UsersError
    from spanloom.dashboard import run

    settings = settings_module.load()
    if name := settings.dashboard.missing_file():
        raise Stop(f"{name} names a file that is not there: correct SPANLOOM_DASHBOARD__{name.upper()}")
    _log_to_stderr()
    try:
        asyncio.run(run(settings.clickhouse, settings.dashboard))
    except UsersError as error:
        raise Stop(str(error)) from None
    except OSError as error:
        raise Stop(
            f"the dashboard can't listen ({error.strerror or error}): set SPANLOOM_DASHBOARD__PORT and __WEB_PORT to"
            " free ports, __HOST to an address of this machine, and __TLS_CERTFILE and __TLS_KEYFILE to PEM files"
        ) from None


users_app = typer.Typer(name="users", help="Who may log in to the dashboard.", no_args_is_help=True)
app.add_typer(users_app)


@users_app.command("new")
def new_user(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    project: Annotated[
        list[str] | None, typer.Option("--project", help="A project they may see; repeat it for several.")
    ] = None,
    all_projects: Annotated[bool, typer.Option("--all-projects", help="They may see every project.")] = False,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password instead of making one.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="Append to this users file (it may be new).")
    ] = None,
) -> None:
    """Make a user. A made password is shown once; only its hash is kept."""
    _need_dashboard()
    from dashboard import passwords
    from dashboard.projects import ALL
    from dashboard.users import UsersError, entry, from_toml

    if bool(project) == all_projects:
        raise Stop("say what the user may see: --project NAME, once or more, or --all-projects", code=2)
    if ask:
        password = typer.prompt("password", hide_input=True, confirmation_prompt="once more")
        if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
            raise Stop(f"the password must have {passwords.SHORTEST} to {passwords.LONGEST} characters")
    else:
        password = secrets.token_urlsafe(15)
    lines = entry(name, passwords.hash_of(password), [ALL] if all_projects else list(project or ()))
    try:
        from_toml(lines)
        if file is not None:
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            after = before + ("\n" if before else "") + lines
            from_toml(after)
            file.touch(0o600)
            file.write_text(after, encoding="utf-8")
    except UsersError as error:
        raise Stop(f"the user can't be added: {error}") from None
    except OSError as error:
        raise Stop(f"{file} can't be written ({error.strerror}): choose another --file") from None
    if not ask:
        typer.echo(f"password: {password}")
    if file is None:
        problems.print(
            "Add this to the users file of the dashboard (SPANLOOM_DASHBOARD__USERS_FILE):\n", highlight=False
        )
        typer.echo(lines)


def _need_dashboard() -> None:
    try:
        import argon2
        import fastapi
        import jinja2
        import uvicorn
    except ModuleNotFoundError as error:
        raise Stop(
            f"the dashboard needs the package {error.name}, which is not installed: install spanloom[dashboard]"
        ) from None
    del argon2, fastapi, jinja2, uvicorn


keys_app = typer.Typer(
    name="keys", help="API keys, which applications send to the receiver.", no_args_is_help=True
)
app.add_typer(keys_app)


@keys_app.command("new")
def new_key(
    project: Annotated[str, typer.Argument(help="The project that the key's spans belong to.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="Append the hash to this keys file (it may be new).")
    ] = None,
) -> None:
    """Make an API key. It is shown once; only its hash is kept."""
    from receiver.keys import KeysError, entry, from_toml
    from receiver.keys import new_key as make

    key = make()
    lines = entry(project, key)
    try:
        from_toml(lines)
        if file is not None:
            before = file.read_text() if file.exists() else ""
            from_toml(before)
            file.write_text(before + ("\n" if before else "") + lines)
    except KeysError as error:
        raise Stop(f"the key can't be added: {error}") from None
    except OSError as error:
        raise Stop(f"{file} can't be written ({error.strerror}): choose another --file") from None
    typer.echo(f"key: {key}")
    if file is None:
        problems.print(
            "Add this to the keys file of the receiver (SPANLOOM_RECEIVER__KEYS_FILE):\n", highlight=False
        )
        typer.echo(lines)


@app.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Bring ClickHouse's schema up to date; safe to run twice and from several places at once."""
    from warehouse.migrate import migrate as run_migrations

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
    from agents.topics import TopicError, ensure

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
def send(
    paths: Annotated[list[Path], typer.Argument(help="OTLP files (.pb, .json) or folders of them.")],
    topic: Annotated[str | None, typer.Option(help="The topic; the one workers read by default.")] = None,
    project: Annotated[str, typer.Option(help="The project the spans belong to.")] = "",
    retime: Annotated[
        bool, typer.Option("--retime", help="Move the spans' times so that they end now.")
    ] = False,
) -> None:
    """Produce OTLP files to Kafka."""
    from spanloom.files import FileError
    from spanloom.send import SendError
    from spanloom.send import send as send_files

    settings = settings_module.load().kafka
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=problems, transient=True) as progress:
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


@app.command()
def sessions(
    since: Annotated[str, typer.Option(help="Only sessions active since: 30m, 24h, 7d, or a date.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at the most.")] = 20,
    sort: Annotated[str, typer.Option(help="cost, tokens, duration, traces or start.")] = "start",
    project: Project = None,
    as_json: Json = False,
) -> None:
    """List sessions, each with its whole totals."""
    from spanloom import show
    from warehouse.read import sessions as read_sessions

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
    from spanloom import show
    from warehouse.read import session as read_session

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
    from spanloom import show
    from warehouse.read import trace as read_trace

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
    from spanloom import show
    from warehouse.read import models as read_models

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


def _own_prices(path: str) -> PriceTable:
    from agents.price_file import PriceFileError, read_prices

    try:
        return read_prices(path)
    except PriceFileError as error:
        raise Stop(f"SPANLOOM_WORKER__PRICES_FILE: {error}") from None


def _read(question: Any) -> Any:
    from warehouse.client import connect

    warehouse = connect(settings_module.load().clickhouse)
    try:
        return asyncio.run(question(warehouse))
    finally:
        warehouse.close()


def _run_with_kafka(work: Coroutine[Any, Any, T], servers: str) -> T:
    from aiokafka.errors import KafkaError

    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        raise Stop(
            f"Kafka at {servers} can't be used ({type(error).__name__}): start it, or set"
            " SPANLOOM_KAFKA__BOOTSTRAP_SERVERS"
        ) from None


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


def _log_to_stderr() -> None:
    if sys.stderr.isatty():
        logging.basicConfig(
            level=logging.INFO, format="%(message)s", handlers=[RichHandler(console=problems)]
        )
    else:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # aiokafka tells every step it takes; warnings are enough.
    for name in ("aiokafka",):
        logging.getLogger(name).setLevel(logging.WARNING)
