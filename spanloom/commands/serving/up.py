"""`spanloom up`: the local stack, with a sample and a welcome text."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from importlib.resources import as_file, files

from rich.console import Console

from spanloom.commands.viewing import show
from spanloom.local.stack import LocalStack, StackOptions
from spanloom.local.supervisor import SupervisorError
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.queries.answers import SessionListRow
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.sessions.list import list_sessions
from spanloom.warehouse.settings import ClickHouseSettings

_SAMPLE_SESSIONS = 10
_SAMPLE_DEADLINE = 30.0  # seconds until the sample's sessions are there; two are usual
_LOOK = 0.2  # seconds between two looks


class UpError(Exception):
    """The stack can't run; the message says what to do."""


async def run_stack(console: Console, options: StackOptions, sample: bool) -> None:
    """Run the local stack until SIGINT or SIGTERM, with recorded conversations where `sample` says so.

    Raises:
        UpError: why it can't start or go on.
    """

    async def after_ready(stack: LocalStack) -> None:
        if sample:
            await _send_sample(console, stack)
        _welcome(console, options, sample)

    stack = LocalStack(
        options, lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True), after_ready
    )
    try:
        await stack.run()
    except SupervisorError as error:
        raise UpError(str(error)) from None


async def _send_sample(console: Console, stack: LocalStack) -> None:
    console.print("sending recorded conversations")
    with as_file(files("spanloom") / "samples") as folder:
        await stack.command("sample", "send", "--retime", str(folder))
    warehouse = connect(ClickHouseSettings(url=stack.options.clickhouse_url))
    try:
        rows = await _newest(warehouse)
        for _ in range(round(_SAMPLE_DEADLINE / _LOOK)):
            if len(rows) >= _SAMPLE_SESSIONS:
                break
            await asyncio.sleep(_LOOK)
            rows = await _newest(warehouse)
    finally:
        warehouse.close()
    console.print(show.sessions(rows, show.now()))


async def _newest(warehouse: Warehouse) -> list[SessionListRow]:
    return (await list_sessions(warehouse, Filter(), "start_time")).rows


def _welcome(console: Console, options: StackOptions, sample: bool) -> None:
    environment = " ".join(f"{name}={value}" for name, value in options.environment.items())
    prefix = "" if options.kafka_port == 9092 and options.clickhouse_port == 8123 else f"{environment} "
    command = _as_called()
    try_a_session = [f"  {prefix}{command} session conv-1"] if sample else []
    for line in (
        "",
        f"Spans go in:     http://127.0.0.1:{options.otlp_http_port} (OTLP/HTTP),"
        f" http://127.0.0.1:{options.otlp_grpc_port} (OTLP/gRPC), with any API key",
        f"                 Kafka at {options.bootstrap_servers}, topic otlp_spans (OTLP, protobuf or JSON)",
        f"See sessions:    {options.dashboard_url}",
        f"SQL is answered: {options.clickhouse_url}, database spanloom, views sessions, traces, spans",
        "",
        "Try:",
        *try_a_session,
        f"  {prefix}{command} sessions --sort cost",
        f"  curl '{options.clickhouse_url}/?database=spanloom' -d 'SELECT session_id, total_tokens FROM sessions'",
        "",
        "Ctrl-C stops everything; what is stored stays.",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _as_called() -> str:
    """What to write for `spanloom` in this folder: with `make run` it is not on the PATH."""
    if os.path.basename(sys.argv[0]) == "__main__.py":
        return f"{os.path.relpath(sys.executable)} -m spanloom"
    return "spanloom" if shutil.which("spanloom") else os.path.relpath(sys.argv[0])
