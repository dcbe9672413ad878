"""What the tables that hold rows twice cost the inserts: `python -m benchmarks.dashboard.inserts`.

Makes up some sessions' traces and session windows, as `benchmarks.dashboard.load` does, with the materialized views and
again without them: ClickHouse's CPU time for a row, merges not included. Making a row up is part of both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from clickhouse_connect.driver.client import Client

from benchmarks.dashboard.load import DAYS, SESSIONS, START
from benchmarks.dashboard.queries import cpu_seconds
from benchmarks.dashboard.sql import CORPUS_TABLE, corpus, insert_traces, insert_windows
from spanloom.local.ports import free_port
from spanloom.warehouse.client import new_client
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.fixtures_local import clickhouse_process

SESSIONS_A_STATEMENT = 10_000
"""Of the first of `SESSIONS` in `DAYS`: some 50,000 traces."""

TABLES = {
    "traces_versions": (
        {
            "traces_into_time": "traces_by_time_versions",
            "traces_into_span_counts": "span_counts_versions",
        },
        insert_traces,
    ),
    "session_windows_versions": (
        {"session_windows_into_sessions": "session_windows_by_session_versions"},
        insert_windows,
    ),
}
"""Of each table its materialized views with what they fill, and what makes up its rows."""


def microseconds_a_row(
    client: Client, pid: int, table: str, filled: Iterable[str], sql: str, runs: int
) -> float:
    """The least CPU time of some inserts, divided by their rows; other work of the server is in it."""
    best = float("inf")
    for _ in range(runs):
        for each in (table, *filled):
            client.command(f"TRUNCATE TABLE {each}")
        time.sleep(1)
        before = cpu_seconds(pid)
        client.command(sql, {"first": 0, "count": SESSIONS_A_STATEMENT}, settings={"optimize_on_insert": "0"})
        used = cpu_seconds(pid) - before
        [[rows]] = client.query(f"SELECT count() FROM {table}").result_rows
        best = min(best, used / rows)
    return best * 1e6


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.dashboard.inserts", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=5, help="times each insert is made (5)")
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, clickhouse_process(port, Path(folder)) as server:
        settings = ClickHouseSettings(url=f"http://127.0.0.1:{port}", database="inserts")
        migrate(settings)
        client = new_client(settings, settings.database)
        client.command("SYSTEM STOP MERGES")
        client.command(f"CREATE TABLE {CORPUS_TABLE} (text String) ENGINE = Log")
        client.insert(CORPUS_TABLE, [[corpus()]], ["text"])
        print("| table | CPU a row with its views, µs | without, µs |\n|---|---|---|")
        for table, (views, insert) in TABLES.items():
            sql, filled = insert(START, DAYS, SESSIONS), views.values()
            both = microseconds_a_row(client, server.pid, table, filled, sql, options.runs)
            for view in views:
                client.command(f"DROP VIEW {view}")
            alone = microseconds_a_row(client, server.pid, table, filled, sql, options.runs)
            print(f"| `{table}` | {both:.1f} | {alone:.1f} |", flush=True)
        client.close()


if __name__ == "__main__":
    main()
