"""The database, its tables and views, and how long they keep their rows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pytest

from spanloom.spans.each_text_once import STORED_TABLE
from spanloom.spans.folding.rows import TRACE_TABLE, WINDOW_TABLE
from spanloom.warehouse.client import SchemaError, Unavailable, connect
from spanloom.warehouse.schema.known import check_schema
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.docs.generated import ROOT
from tests.warehouse.tables import run, sql

ALL = sorted(file.stem for file in (ROOT / "schemas" / "clickhouse").glob("*.sql"))
ONCE = [(number, 1, 1) for number in range(1, len(ALL) + 1)]

# The contract of docs/schema.md with every query out there: columns are added (a test compares the page), none goes.
COUNTS = (
    "span_count llm_call_count tool_call_count error_count input_tokens output_tokens cache_read_tokens "
    "cache_write_tokens reasoning_tokens total_tokens input_cost output_cost total_cost "
    "unpriced_call_count models"
)
VIEWS = {
    "spans": (
        "project_id trace_id span_id parent_span_id name span_type service_name start_time end_time duration "
        "status status_message session_id user_id tags model provider input_tokens output_tokens "
        "cache_read_tokens cache_write_tokens reasoning_tokens input_cost output_cost total_cost priced "
        "input output attributes resource events"
    ),
    "traces": (
        "project_id session_id trace_id name user_id tags metadata services start_time end_time duration "
        f"status {COUNTS} input output root_span_id"
    ),
    "session_windows": (
        "project_id session_id window_start user_id user_ids start_time end_time duration active_duration "
        f"trace_count {COUNTS} tags services"
    ),
    "sessions": (
        "project_id session_id user_id user_ids start_time end_time duration active_duration "
        f"trace_count {COUNTS} tags services"
    ),
}


def bookkeeping(settings: ClickHouseSettings) -> list[tuple[object, ...]]:
    return sql(
        settings,
        f"SELECT version, count(), uniqExact(md5) FROM {settings.database}.schema_migrations FINAL "
        "GROUP BY version ORDER BY version",
    )


def databases(settings: ClickHouseSettings) -> list[tuple[object, ...]]:
    return sql(settings, f"SELECT name FROM system.databases WHERE name = '{settings.database}'")


def forget(settings: ClickHouseSettings, version: int) -> None:
    sql(
        settings,
        f"ALTER TABLE {settings.database}.schema_migrations DELETE WHERE version = {version} "
        "SETTINGS mutations_sync = 2",
    )


def note(settings: ClickHouseSettings, version: int, md5: str) -> None:
    sql(
        settings,
        f"INSERT INTO {settings.database}.schema_migrations (version, md5, script) "
        f"SELECT {version}, '{md5}', '' SETTINGS async_insert = 0",
    )


def test_an_empty_server_gets_everything_once(empty: ClickHouseSettings) -> None:
    assert migrate(empty) == ALL
    assert migrate(empty) == []
    assert bookkeeping(empty) == ONCE
    run(check_schema(connect(empty)))


def test_a_database_that_is_there_is_filled(empty: ClickHouseSettings) -> None:
    sql(empty, f"CREATE DATABASE {empty.database}")
    assert migrate(empty) == ALL


def test_a_dry_run_says_what_is_pending_and_changes_nothing(empty: ClickHouseSettings) -> None:
    assert migrate(empty, dry_run=True) == ALL
    assert databases(empty) == []
    migrate(empty)
    assert migrate(empty, dry_run=True) == []


def test_four_threads_at_once_all_succeed(empty: ClickHouseSettings) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(empty), range(4)))
    # A run may see a view whose comments another one is about to set.
    told = {name for names in applied for name in names}
    assert sorted(name for name in told if not name.startswith("comments: ")) == ALL
    # One more run has the bookkeeping table merged, which FINAL does not need.
    assert bookkeeping(empty) == ONCE
    assert migrate(empty) == []
    run(check_schema(connect(empty)))


def test_three_processes_at_once_all_succeed(empty: ClickHouseSettings) -> None:
    program = (
        "from spanloom.warehouse.schema.migrate import migrate; "
        "from spanloom.warehouse.settings import ClickHouseSettings; "
        f"migrate(ClickHouseSettings(url={empty.url!r}, database={empty.database!r}))"
    )
    pods = [
        subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for pod in pods:
        _, output = pod.communicate(timeout=60)
        assert pod.returncode == 0, output
    assert bookkeeping(empty) == ONCE
    run(check_schema(connect(empty)))


def test_a_run_that_broke_off_is_taken_up_again(empty: ClickHouseSettings) -> None:
    migrate(empty)
    forget(empty, len(ALL))  # as if the process had died after the statements, before the note
    assert migrate(empty) == ALL[-1:]


@pytest.fixture
def with_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migrations of this version, and one more that adds a column to traces."""
    for folder in (str(files("spanloom.schemas") / "clickhouse"), str(Path(__file__).parent / "migrations")):
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for module in ("migrate", "known"):
        monkeypatch.setattr(f"spanloom.warehouse.schema.{module}.folder", lambda _: tmp_path)


@pytest.mark.usefixtures("with_a_column")
def test_a_migration_that_adds_a_column_runs_beside_the_others_and_twice(empty: ClickHouseSettings) -> None:
    def four_at_once() -> None:
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _: migrate(empty), range(4)))
        assert {name for names in done for name in names} >= {*ALL, "0005_root_service"}

    def services(table: str) -> list[tuple[object, ...]]:
        return sql(empty, f"SELECT trace_id, root_service FROM {empty.database}.{table} ORDER BY trace_id")

    four_at_once()
    columns = "(project_id, session_id, trace_id, root_service, version)"
    for trace in ("t1", "t2"):
        sql(
            empty,
            f"INSERT INTO {empty.database}.traces_versions {columns} SELECT 'p', 's', '{trace}', 'api', 1",
        )
        assert services("traces") == services("traces_by_time_versions FINAL")
        for version in range(1, len(ALL) + 2):
            forget(empty, version)  # all of it once more, over rows that are there
        four_at_once()
    assert services("traces") == services("traces_by_time_versions FINAL") == [("t1", "api"), ("t2", "api")]
    assert migrate(empty) == []


@pytest.mark.parametrize(
    ("first", "second", "only_first", "only_second"),
    [
        ("session_windows_versions", "session_windows_by_session_versions", set(), set()),
        (
            "traces_versions",
            "traces_by_time_versions",
            {"input", "output", "counts_otherwise", "cost_counts_otherwise", "unpriced_otherwise"},
            {"input_start", "output_start", "said"},
        ),
    ],
)
def test_rows_that_are_kept_twice_have_the_same_columns(
    empty: ClickHouseSettings, first: str, second: str, only_first: set[str], only_second: set[str]
) -> None:
    migrate(empty)
    columns = [
        {row[:4] for row in sql(empty, f"DESCRIBE TABLE {empty.database}.{table}")}
        for table in (first, second)
    ]
    names = [{str(row[0]) for row in some} for some in columns]
    assert names[0] - only_first == names[1] - only_second
    assert {row for row in columns[0] ^ columns[1] if row[0] in names[0] & names[1]} == set()
    [[view]] = sql(
        empty,
        "SELECT as_select FROM system.tables WHERE engine = 'MaterializedView' "
        f"AND database = '{empty.database}' AND create_table_query LIKE '%.{second}%'",
    )
    filled = names[1] - {row[0] for row in columns[1] if row[2] == "MATERIALIZED"}
    assert all(name in view for name in filled)


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_loses_a_column_of_the_contract(empty: ClickHouseSettings, view: str) -> None:
    migrate(empty)
    columns = {row[0] for row in sql(empty, f"DESCRIBE TABLE {empty.database}.{view}")}
    assert set(VIEWS[view].split()) - columns == set()


@pytest.mark.parametrize(
    ("table", "schema"),
    [
        ("spans_versions", STORED_TABLE),
        ("traces_versions", TRACE_TABLE),
        ("session_windows_versions", WINDOW_TABLE),
    ],
)
def test_every_table_has_the_columns_that_are_written(
    empty: ClickHouseSettings, table: str, schema: pa.Schema
) -> None:
    migrate(empty)
    columns = {
        row[0]
        for row in sql(empty, f"DESCRIBE TABLE {empty.database}.{table}")
        if row[2] not in ("MATERIALIZED", "ALIAS")
    }
    assert columns == {*schema.names, "version", "is_deleted"}


def test_a_missing_database_asks_for_migrate(empty: ClickHouseSettings) -> None:
    with pytest.raises(SchemaError, match="run `spanloom migrate`"):
        run(check_schema(connect(empty)))


def test_an_older_schema_asks_for_migrate(empty: ClickHouseSettings) -> None:
    migrate(empty)
    forget(empty, 2)
    with pytest.raises(SchemaError, match="lacks 0002_traces: run `spanloom migrate`"):
        run(check_schema(connect(empty)))


def test_a_migration_that_was_changed_is_refused(empty: ClickHouseSettings) -> None:
    migrate(empty)
    forget(empty, 2)
    note(empty, 2, "0" * 32)
    sentence = "was made by a state of spanloom before its first release, with another 0002_traces: drop the database"
    with pytest.raises(SchemaError, match=sentence):
        migrate(empty)
    with pytest.raises(SchemaError, match=sentence):
        run(check_schema(connect(empty)))


def test_a_newer_schema_serves_a_worker_but_not_a_migration(empty: ClickHouseSettings) -> None:
    migrate(empty)
    note(empty, 99, "0" * 32)
    run(check_schema(connect(empty)))  # while a new version is rolled out, old workers may restart
    with pytest.raises(SchemaError, match="belongs to a newer spanloom: it has migration 99"):
        migrate(empty)


def test_a_server_that_is_away_is_unavailable(unused_url: str) -> None:
    with pytest.raises(Unavailable):
        migrate(ClickHouseSettings(url=unused_url))
