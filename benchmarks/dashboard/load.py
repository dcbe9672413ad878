"""Fill a ClickHouse for `benchmarks.dashboard.queries`: `python -m benchmarks.dashboard.load --scale 0.1`.

At scale 1: 1,000,000 sessions, 5,000,000 traces, 20,000,000 spans over 60 days, made up by ClickHouse itself
(INSERT … SELECT FROM numbers()), a few thousand sessions a statement, in the order of time as they would have come.
Takes some 15 GB of disk. Starts the local ClickHouse on `--data`, or fills the one at `--url`.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from benchmarks.dashboard.sql import CORPUS_TABLE, corpus, insert_spans, insert_traces, insert_windows
from spanloom.local.ports import free_port
from spanloom.warehouse.client import new_client
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.fixtures_local import clickhouse_process

SESSIONS = 1_000_000
DAYS = 60
START = int(datetime(2026, 9, 28, tzinfo=UTC).timestamp())
"""When the first session begins; the last ones begin `DAYS` days later."""

SESSIONS_A_STATEMENT = 10_000


@contextlib.contextmanager
def database(url: str | None, data: Path) -> Iterator[ClickHouseSettings]:
    """Settings of a migrated database, of a ClickHouse that is there or started for the block."""
    with contextlib.ExitStack() as stack:
        if url is None:
            data.mkdir(parents=True, exist_ok=True)
            port = free_port()
            stack.enter_context(clickhouse_process(port, data))
            url = f"http://127.0.0.1:{port}"
        settings = ClickHouseSettings(url=url, database="spanloom_benchmark", read_timeout=3600)
        migrate(settings)
        yield settings


def load(settings: ClickHouseSettings, sessions: int) -> None:
    """Insert `sessions` sessions with their traces and spans."""
    client = new_client(settings, settings.database)
    client.command(f"CREATE OR REPLACE TABLE {CORPUS_TABLE} (text String) ENGINE = Log")
    client.insert(CORPUS_TABLE, [[corpus()]], ["text"])
    statements = {
        "windows": insert_windows(START, DAYS, sessions),
        "traces": insert_traces(START, DAYS, sessions),
        "spans": insert_spans(START, DAYS, sessions),
    }
    for name, sql in statements.items():
        started = time.perf_counter()
        for first in range(0, sessions, SESSIONS_A_STATEMENT):
            count = min(SESSIONS_A_STATEMENT, sessions - first)
            client.command(sql, {"first": first, "count": count}, settings={"async_insert": "0"})
            if first // SESSIONS_A_STATEMENT % 5 == 0:
                print(
                    f"{name} of {first + count:,} sessions: {time.perf_counter() - started:.0f} s", flush=True
                )
    tables = client.query("SHOW TABLES LIKE '%_versions'").result_rows
    for (name,) in tables:
        print(f"{name}: {_size(client, settings.database, name)}", flush=True)
    client.close()


def _size(client: Client, database_name: str, table: str) -> str:
    [[rows, size, parts]] = client.query(
        "SELECT sum(rows), sum(bytes_on_disk), count() FROM system.parts "
        "WHERE active AND database = {database:String} AND table = {table:String}",
        {"database": database_name, "table": table},
    ).result_rows
    return f"{rows:,} rows, {size / 1e9:.2f} GB in {parts} parts"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.dashboard.load", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--scale", type=float, default=0.1, help="1 is a million sessions (0.1)")
    parser.add_argument("--url", help="a ClickHouse that is there; else one is started")
    parser.add_argument("--data", type=Path, default=Path("benchmark-data"), help="folder of the one started")
    options = parser.parse_args()
    with database(options.url, options.data) as settings:
        load(settings, round(SESSIONS * options.scale))


if __name__ == "__main__":
    main()
