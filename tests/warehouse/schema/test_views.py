"""Views that are missing or differ, as after a backup was restored in part, are recreated."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest

from spanloom.warehouse.client import SchemaError, Warehouse, WarehouseError, connect
from spanloom.warehouse.schema import views
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.schema.views import View, views_of
from spanloom.warehouse.settings import ClickHouseSettings
from tests.warehouse.tables import STORED, partial, put, rows, sql, window

PLAIN = ("spans", "traces", "session_windows", "sessions")
FILLING = {
    "traces_into_time": "traces_by_time_versions",
    "traces_into_span_counts": "span_counts_versions",
    "session_windows_into_sessions": "session_windows_by_session_versions",
}


@pytest.fixture
def migrated(empty: ClickHouseSettings) -> Iterator[Warehouse]:
    migrate(empty)
    warehouse = connect(empty)
    yield warehouse
    warehouse.close()


def traces(trace: str, **values: Any) -> pa.Table:
    row = window("p", "s", 0, trace_id=trace, name="answer", **values)
    del row["trace_count"]
    return partial(row)


def windows(session: str) -> pa.Table:
    return partial(window("p", session, 0))


def definitions(settings: ClickHouseSettings) -> list[tuple[object, ...]]:
    return sql(
        settings,
        "SELECT name, engine, create_table_query FROM system.tables "
        f"WHERE database = '{settings.database}' AND engine LIKE '%View' ORDER BY name",
    )


def test_every_view_of_a_fresh_database_is_as_the_migrations_say(migrated: Warehouse) -> None:
    assert {name for name, *_ in definitions(migrated.settings)} == {*PLAIN, *FILLING}
    assert migrate(migrated.settings) == []


@pytest.mark.parametrize("view", [*PLAIN, *FILLING])
def test_a_view_that_is_missing_is_recreated(migrated: Warehouse, view: str) -> None:
    settings = migrated.settings
    before = definitions(settings)
    sql(settings, f"DROP VIEW {settings.database}.{view}")
    expected = [f"the view {view}, which was missing"]
    assert migrate(settings, dry_run=True) == expected
    assert len(definitions(settings)) == len(before) - 1
    assert migrate(settings) == expected
    assert definitions(settings) == before
    assert migrate(settings) == []


@pytest.mark.parametrize("view", PLAIN)
def test_a_view_that_differs_is_recreated(migrated: Warehouse, view: str) -> None:
    settings = migrated.settings
    before = definitions(settings)
    sql(settings, f"CREATE OR REPLACE VIEW {settings.database}.{view} AS SELECT 'old' AS project_id")
    assert migrate(settings) == [f"the view {view}, which differed"]
    assert definitions(settings) == before


def test_what_a_filling_view_missed_is_copied_deleted_rows_too(migrated: Warehouse) -> None:
    settings = migrated.settings
    put(migrated, "traces_versions", traces("t1"))
    put(migrated, "session_windows_versions", windows("w1"))
    for view in FILLING:
        sql(settings, f"DROP VIEW {settings.database}.{view}")
    put(migrated, "traces_versions", traces("t2"))
    put(migrated, "traces_versions", traces("t1", version=STORED + 1, is_deleted=1))
    put(migrated, "session_windows_versions", windows("w2"))
    assert len(migrate(settings)) == len(FILLING)
    assert rows(migrated, "SELECT trace_id FROM traces_by_time_versions FINAL") == [("t2",)]
    assert rows(migrated, "SELECT session_id FROM sessions ORDER BY session_id") == [("w1",), ("w2",)]
    put(migrated, "traces_versions", traces("t3"))  # and it fills again
    assert len(rows(migrated, "SELECT trace_id FROM traces_by_time_versions FINAL")) == 2


def test_a_copy_that_breaks_off_is_made_by_the_next_run(
    migrated: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = migrated.settings
    sql(settings, f"DROP VIEW {settings.database}.traces_into_time")
    put(migrated, "traces_versions", traces("t1"))
    with monkeypatch.context() as patch:
        patch.setattr(views, "EXACT", {"max_execution_time": "oops"})
        with pytest.raises(WarehouseError):
            migrate(settings)
    assert migrate(settings) == ["the view traces_into_time, which was missing"]
    assert rows(migrated, "SELECT trace_id FROM traces_by_time_versions FINAL") == [("t1",)]


def test_a_filling_view_that_differs_is_changed_and_what_it_filled_badly_is_repaired(
    migrated: Warehouse,
) -> None:
    settings = migrated.settings
    before = definitions(settings)
    sql(
        settings,
        f"ALTER TABLE {settings.database}.traces_into_time MODIFY QUERY "
        "SELECT project_id, window_start, session_id, trace_id, version, is_deleted "
        f"FROM {settings.database}.traces_versions",
    )
    put(migrated, "traces_versions", traces("t1"))
    assert rows(migrated, "SELECT name FROM traces_by_time_versions FINAL") == [("",)]
    assert migrate(settings) == ["the view traces_into_time, which differed"]
    assert rows(migrated, "SELECT name FROM traces_by_time_versions FINAL") == [("answer",)]
    assert definitions(settings) == before


def test_a_filling_view_with_another_target_is_recreated(migrated: Warehouse) -> None:
    settings = migrated.settings
    before = definitions(settings)
    where = settings.database
    sql(settings, f"CREATE TABLE {where}.elsewhere AS {where}.traces_by_time_versions")
    sql(settings, f"DROP VIEW {where}.traces_into_time")
    folder = files("spanloom.schemas") / "clickhouse"
    scripts = [path.read_text() for path in folder.iterdir() if path.name.endswith(".sql")]
    [select] = [view.select for view in views_of(scripts) if view.name == "traces_into_time"]
    select = select.replace("FROM traces_versions", f"FROM {where}.traces_versions")
    sql(settings, f"CREATE MATERIALIZED VIEW {where}.traces_into_time TO {where}.elsewhere AS {select}")
    put(migrated, "traces_versions", traces("t1"))
    assert migrate(settings) == ["the view traces_into_time, which differed"]
    assert definitions(settings) == before
    assert rows(migrated, "SELECT trace_id FROM traces_by_time_versions FINAL") == [("t1",)]


def test_a_table_that_is_missing_stops_with_what_to_do(migrated: Warehouse) -> None:
    settings = migrated.settings
    sql(settings, f"DROP TABLE {settings.database}.traces_by_time_versions")
    with pytest.raises(
        SchemaError, match=r"lacks the table traces_by_time_versions.* restore it from a backup"
    ):
        migrate(settings)


def test_the_last_definition_of_a_view_counts() -> None:
    first = "-- One; more.\nCREATE OR REPLACE VIEW a AS\nSELECT 1 FROM t;"
    filling = "CREATE MATERIALIZED VIEW IF NOT EXISTS m TO t AS SELECT 1 FROM s;"
    assert views_of([first, filling]) == [View("a", "SELECT 1 FROM t"), View("m", "SELECT 1 FROM s", "t")]
    later = "ALTER TABLE m MODIFY QUERY SELECT 2 FROM s; CREATE OR REPLACE VIEW a AS SELECT 3 FROM t"
    assert views_of([first, filling, later, filling]) == [
        View("a", "SELECT 3 FROM t"),
        View("m", "SELECT 2 FROM s", "t"),
    ]
    assert views_of([first, "DROP VIEW IF EXISTS a;"]) == []
    with pytest.raises(ValueError, match="not understood"):
        views_of(["CREATE VIEW a AS SELECT 1 FROM t"])
