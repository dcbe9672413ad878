"""Every column of the views says in ClickHouse what it means."""

from __future__ import annotations

import pytest

from spanloom.warehouse.client import WarehouseError
from spanloom.warehouse.schema.comments import column_comments
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.warehouse.tables import sql


def stored(settings: ClickHouseSettings) -> dict[str, dict[str, str]]:
    """All comments that are not empty, by table and column."""
    rows = sql(
        settings,
        f"SELECT table, name, comment FROM system.columns WHERE database = '{settings.database}' AND comment != ''",
    )
    comments: dict[str, dict[str, str]] = {}
    for table, name, comment in rows:
        comments.setdefault(table, {})[name] = comment
    return comments


def comment(settings: ClickHouseSettings, table: str, **comments: str) -> None:
    changes = ", ".join(f"COMMENT COLUMN {column} '{text}'" for column, text in comments.items())
    sql(settings, f"ALTER TABLE {settings.database}.{table} {changes}")


def unchangeable(settings: ClickHouseSettings) -> ClickHouseSettings:
    """The same database for somebody of whom ClickHouse takes no ALTER, CREATE or INSERT, whatever it does."""
    return settings.model_copy(update={"settings": {"readonly": "2"}})


def test_every_column_of_a_view_has_its_comment_and_none_of_a_table(empty: ClickHouseSettings) -> None:
    migrate(empty)
    assert set(column_comments()) == {"spans", "traces", "session_windows", "sessions"}
    assert all(text for comments in column_comments().values() for text in comments.values())
    assert stored(empty) == column_comments()


def test_a_second_run_alters_nothing(empty: ClickHouseSettings) -> None:
    migrate(empty)
    assert migrate(unchangeable(empty)) == []
    comment(empty, "spans", counts="another")
    with pytest.raises(WarehouseError, match="READONLY"):
        migrate(unchangeable(empty))
    assert migrate(empty) == ["comments: 1 column of 1 view"]
    assert migrate(unchangeable(empty)) == []


def test_comments_that_are_missing_or_differ_are_replaced_and_counted(empty: ClickHouseSettings) -> None:
    migrate(empty)
    comment(empty, "spans", counts="another", model="")
    comment(empty, "sessions", session_id="")
    before = stored(empty)
    expected = ["comments: 3 columns of 2 views"]
    assert migrate(unchangeable(empty), dry_run=True) == expected
    assert stored(empty) == before
    assert migrate(empty) == expected
    assert stored(empty) == column_comments()
    assert migrate(empty) == []


def test_a_database_from_before_there_were_comments_gets_them(empty: ClickHouseSettings) -> None:
    migrate(empty)
    for view, comments in column_comments().items():
        comment(empty, view, **dict.fromkeys(comments, ""))
    assert stored(empty) == {}
    columns = sum(map(len, column_comments().values()))
    expected = [f"comments: {columns} columns of 4 views"]
    assert migrate(empty, dry_run=True) == expected
    assert migrate(empty) == expected
    assert stored(empty) == column_comments()


def test_the_comments_of_a_view_that_is_made_anew_come_with_it(empty: ClickHouseSettings) -> None:
    migrate(empty)
    sql(empty, f"CREATE OR REPLACE VIEW {empty.database}.traces AS SELECT 'old' AS project_id")
    sql(empty, f"DROP VIEW {empty.database}.sessions")
    comment(empty, "spans", model="")
    expected = {
        "the view traces, which differed",
        "the view sessions, which was missing",
        "comments: 1 column of 1 view",
    }
    assert set(migrate(empty, dry_run=True)) == expected
    assert set(migrate(empty)) == expected
    assert stored(empty) == column_comments()
    assert migrate(empty) == []
