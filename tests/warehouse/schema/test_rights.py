"""The rights that docs/configuration.md grants are enough for `migrate` and for a worker, and `migrate` needs each.

The local ClickHouse answers everybody as one user, whose rights are fixed (`spanloom.local.clickhouse.access`), so each
test starts one with others (`limited_clickhouse.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spanloom.local.ports import free_port
from spanloom.warehouse.client import WarehouseError, connect
from spanloom.warehouse.schema.known import check_schema
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings, RetentionSettings
from tests.docs.generated import ROOT
from tests.fixtures_local import clickhouse_process
from tests.warehouse.tables import put, rows, run, spans, sql

_PAGE = (ROOT / "docs" / "configuration.md").read_text()


def documented(user: str) -> list[str]:
    grants = re.findall(rf"^GRANT (.+) ON spanloom\.\* TO {user};$", _PAGE, re.MULTILINE)
    assert len(grants) == 1
    return str(grants[0]).split(", ")


MIGRATE = documented("spanloom_migrate")
WORKER = documented("spanloom_worker")


CREATE = "CREATE DATABASE"
"""What making the database itself takes."""


@contextmanager
def clickhouse(folder: Path, *rights: str) -> Iterator[ClickHouseSettings]:
    """The local ClickHouse with its data in the folder, where everybody has these rights on `spanloom.*` only."""
    port = free_port()
    program = ("-m", "tests.warehouse.schema.limited_clickhouse", f"GRANT {', '.join(rights)} ON spanloom.*")
    with clickhouse_process(port, folder, program=program):
        yield ClickHouseSettings(url=f"http://127.0.0.1:{port}")


def test_the_documented_rights_are_enough_for_migrate(tmp_path: Path) -> None:
    with clickhouse(tmp_path, CREATE) as settings:
        sql(settings, f"CREATE DATABASE {settings.database}")
    with clickhouse(tmp_path, *MIGRATE) as settings:
        assert len(migrate(settings)) >= 4
        keeping = settings.model_copy(update={"retention": RetentionSettings(spans_days=30, traces_days=365)})
        assert len(migrate(keeping)) == 4
        database = settings.database
        sql(settings, f"ALTER TABLE {database}.spans COMMENT COLUMN model 'another'")
        sql(settings, f"DROP VIEW {database}.sessions")
        sql(settings, f"DROP VIEW {database}.traces_into_span_counts")
        sql(settings, f"CREATE OR REPLACE VIEW {database}.traces AS SELECT 'old' AS project_id")
        sql(
            settings,
            f"ALTER TABLE {database}.traces_into_time MODIFY QUERY "
            f"SELECT project_id FROM {database}.traces_versions",
        )
        assert len(migrate(settings)) == 9
        assert migrate(settings) == []


def test_without_a_database_one_more_right_is_enough(tmp_path: Path) -> None:
    with (
        clickhouse(tmp_path, *MIGRATE) as settings,
        pytest.raises(WarehouseError, match=r"the grant CREATE DATABASE ON spanloom\.\*"),
    ):
        migrate(settings)
    with clickhouse(tmp_path, *MIGRATE, CREATE) as settings:
        assert len(migrate(settings)) >= 4


# ClickHouse 25.8 asks for DROP TABLE, newer ones for DROP VIEW, which that includes.
@pytest.mark.parametrize(
    ("right", "named"),
    [(right, {"DROP TABLE": "DROP", "ALTER": "ALTER COMMENT COLUMN"}.get(right, right)) for right in MIGRATE],
)
def test_migrate_needs_each_of_them_and_names_what_it_lacks(tmp_path: Path, right: str, named: str) -> None:
    with (
        clickhouse(tmp_path, CREATE, *(each for each in MIGRATE if each != right)) as settings,
        pytest.raises(WarehouseError, match=rf"necessary to have the grant [A-Z(), ]*{re.escape(named)}"),
    ):
        migrate(settings)


def test_the_right_to_comment_is_the_only_part_of_alter_that_a_new_database_needs(tmp_path: Path) -> None:
    rights = [each.replace("ALTER", "ALTER COMMENT COLUMN") for each in MIGRATE]
    with clickhouse(tmp_path, CREATE, *rights) as settings:
        assert len(migrate(settings)) >= 4


def test_the_documented_rights_are_enough_for_a_worker(tmp_path: Path) -> None:
    with clickhouse(tmp_path, CREATE, *MIGRATE) as settings:
        migrate(settings)
    with clickhouse(tmp_path, *WORKER) as settings:
        warehouse = connect(settings)
        run(check_schema(warehouse))
        put(
            warehouse, "spans_versions", spans({"project_id": "p", "trace_id": "1" * 32, "span_id": "2" * 16})
        )
        assert rows(warehouse, "SELECT project_id FROM spans") == [("p",)]
        warehouse.close()
