"""Every column of the views says in ClickHouse what it means."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.comments import column_comments
from spanloom.warehouse.migrate import migrate

_STORED = "SELECT name, comment FROM system.columns WHERE database = currentDatabase() AND table = '{view}'"


def stored(warehouse: Warehouse, view: str) -> dict[str, str]:
    def work(client: Client) -> dict[str, str]:
        rows = client.query(_STORED.format(view=view)).result_rows
        return {str(name): str(comment) for name, comment in rows}

    return warehouse.run_blocking("read comments", work)


def test_every_column_has_its_comment(warehouse: Warehouse) -> None:
    assert set(column_comments()) == {"spans", "traces", "session_windows", "sessions"}
    for view, comments in column_comments().items():
        assert all(comments.values())
        assert stored(warehouse, view) == comments


def test_what_is_missing_or_differs_is_said_anew(warehouse: Warehouse) -> None:
    def work(client: Client) -> None:
        client.command("ALTER TABLE spans COMMENT COLUMN counts 'another', COMMENT COLUMN model ''")

    warehouse.run_blocking("change comments", work)
    migrate(warehouse.settings)
    assert stored(warehouse, "spans") == column_comments()["spans"]
