"""The parts that run until they are stopped: the local stack, worker, receiver, dashboard."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Annotated

import typer
from rich.logging import RichHandler

from spanloom.commands import settings as settings_module
from spanloom.commands.console import Stop, app, console, problems
from spanloom.commands.packages import need_dashboard
from spanloom.connections.seldom import log_clients_seldom
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.pricing.price_table import PriceTable


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
    from spanloom.commands.serving.up import UpError, run_stack
    from spanloom.local.stack import StackOptions

    # The workers read them; whatever is wrong with them is better reported before anything is started.
    own = settings_module.load().worker
    _own_prices(own.prices_file)
    _vocabulary(own.conventions_file)
    try:
        asyncio.run(
            run_stack(
                console,
                StackOptions(
                    data=data,
                    workers=workers,
                    kafka_port=kafka_port,
                    clickhouse_port=clickhouse_port,
                    otlp_grpc_port=otlp_grpc_port,
                    otlp_http_port=otlp_http_port,
                    dashboard_port=dashboard_port,
                ),
                sample,
            )
        )
    except UpError as error:
        raise Stop(str(error)) from None


@app.command()
def worker() -> None:
    """Run one worker, configured by the environment; SIGTERM ends it after a last checkpoint."""
    # Importing takes seconds, and as a container's first process the worker would not even hear it until then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _without_pandas()

    from spanloom.agents.worker import run
    from spanloom.kafka.topics import TopicError
    from spanloom.spans.pricing.prices import Prices
    from spanloom.warehouse.client import connect

    settings = settings_module.load()
    prices = Prices(_own_prices(settings.worker.prices_file))
    vocabulary = _vocabulary(settings.worker.conventions_file)
    _log_to_stderr()
    try:
        asyncio.run(
            run(
                settings.kafka,
                settings.worker,
                connect(settings.clickhouse),
                limits=settings.limits.limits(),
                prices=prices,
                vocabulary=vocabulary,
            )
        )
    except TopicError as error:
        raise Stop(str(error)) from None
    except OSError as error:
        raise Stop(
            f"the worker can't listen on {settings.worker.web_host}:{settings.worker.web_port}"
            f" ({error.strerror}): set SPANLOOM_WORKER__WEB_PORT to a free port"
        ) from None
    # All is safe. What Python would still do is to free the state object by object, for seconds that a successor under
    # the same name waits.
    logging.shutdown()
    os._exit(0)


@app.command()
def receiver() -> None:
    """Run one receiver of OTLP over gRPC and HTTP, configured by the environment."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    try:
        from spanloom.commands.serving.receiver import run
    except ModuleNotFoundError as error:
        raise Stop(
            f"the receiver needs the package {error.name}, which is not installed: install spanloom[receiver]"
        ) from None
    from spanloom.receiver.keys import KeysError

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

    need_dashboard()
    from spanloom.commands.serving.dashboard import run
    from spanloom.dashboard.access.users import UsersError

    settings = settings_module.load()
    if name := settings.dashboard.missing_file():
        raise Stop(f"{name} names a file that is not there: correct SPANLOOM_DASHBOARD__{name.upper()}")
    vocabulary = _vocabulary(settings.worker.conventions_file)
    _log_to_stderr()
    try:
        asyncio.run(run(settings.clickhouse, settings.kafka, settings.dashboard, vocabulary))
    except UsersError as error:
        raise Stop(str(error)) from None
    except OSError as error:
        raise Stop(
            f"the dashboard can't listen ({error.strerror or error}): set SPANLOOM_DASHBOARD__PORT and __WEB_PORT to"
            " free ports, __HOST to an address of this machine, and __TLS_CERTFILE and __TLS_KEYFILE to PEM files"
        ) from None


@app.command()
def forgetter() -> None:
    """Work on the requests to forget that the dashboard takes, configured by the environment."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _without_pandas()

    from spanloom.commands.serving.forgetter import EXIT_FAILED, PortTaken, run
    from spanloom.kafka.connection import CertificateError
    from spanloom.kafka.topics import TopicError
    from spanloom.warehouse.errors import WarehouseError

    settings = settings_module.load()
    _log_to_stderr()
    try:
        asyncio.run(
            run(settings.kafka, settings.clickhouse, settings.forgetter, settings.worker.refuse_forgotten)
        )
    except (TopicError, WarehouseError, CertificateError) as error:
        raise Stop(str(error)) from None
    except PortTaken as error:
        raise Stop(
            f"the forgetter can't listen on {settings.forgetter.web_host}:{settings.forgetter.web_port} ({error}): set"
            " SPANLOOM_FORGETTER__WEB_PORT to a free port"
        ) from None
    except Exception as error:
        logging.getLogger("spanloom.forgetting").critical(
            "unexpected error, it stops: %s", error, exc_info=error
        )
        raise typer.Exit(EXIT_FAILED) from None


def _own_prices(path: str) -> PriceTable:
    from spanloom.commands.serving.price_file import PriceFileError, read_prices

    try:
        return read_prices(path)
    except PriceFileError as error:
        raise Stop(f"SPANLOOM_WORKER__PRICES_FILE: {error}") from None


def _vocabulary(path: str) -> Vocabulary:
    from spanloom.commands.serving.conventions_file import ConventionsFileError, read_vocabulary

    try:
        return read_vocabulary(path)
    except ConventionsFileError as error:
        raise Stop(
            "\n".join(f"SPANLOOM_WORKER__CONVENTIONS_FILE: {mistake}" for mistake in error.mistakes)
        ) from None


def _log_to_stderr() -> None:
    if sys.stderr.isatty():
        logging.basicConfig(
            level=logging.INFO, format="%(message)s", handlers=[RichHandler(console=problems)]
        )
    else:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    log_clients_seldom()
    # aiokafka logs every step it takes; warnings are enough.
    for name in ("aiokafka",):
        logging.getLogger(name).setLevel(logging.WARNING)


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Refuse pandas; leave all else to others."""
        if fullname == "pandas":
            raise ModuleNotFoundError("not needed here", name=fullname)


def _without_pandas() -> None:
    """Keep pyarrow from importing pandas, where chdb has brought it: half a second and 50 MB for nothing."""
    sys.meta_path.insert(0, _NoPandas())
