"""The migrations that this version knows, and whether ClickHouse has them.

A worker asks this at every start, so nothing here imports what applies them: that brings a second driver, and takes a
quarter of a second.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from clickhouse_migrations.migration import MigrationStorage  # type: ignore[import-untyped]

from spanloom.warehouse.client import SchemaError, Warehouse
from spanloom.warehouse.settings import ClickHouseSettings

BOOKKEEPING = "schema_migrations"
"""The table of the migrations that have been applied."""

_APPLIED = f"""
SELECT
    version,
    groupUniqArray(md5) AS md5s
FROM {BOOKKEEPING}
GROUP BY version
"""


class Migration(NamedTuple):
    """One file."""

    version: int
    name: str
    md5: str


async def check_schema(warehouse: Warehouse) -> None:
    """Return if ClickHouse has all tables and views of this version; it may have those of a newer one too.

    Raises:
        SchemaError: they are missing, older or changed; the sentence says what to do.
        Unavailable: ClickHouse is away.
    """
    found = {row["version"]: row["md5s"] for row in await warehouse.query_rows("read its schema", _APPLIED)}
    with ExitStack() as stack:
        known = migrations(folder(stack))
    settings = warehouse.settings
    missing = [migration.name for migration in known if migration.version not in found]
    if missing:
        raise SchemaError(
            f"The database {settings.database} at {settings.url} lacks {', '.join(missing)}: "
            "run `spanloom migrate`"
        )
    for migration in known:
        if migration.md5 not in found[migration.version]:
            raise changed(migration, settings)


def changed(migration: Migration, settings: ClickHouseSettings) -> SchemaError:
    """Return what is said where a migration was another one when it was applied."""
    # Until the first release migrations are edited in place; of released ones none may change (a test holds them).
    return SchemaError(
        f"The database {settings.database} at {settings.url} was made by a state of spanloom before its first "
        f"release, with another {migration.name}: drop the database, or name another one in "
        "SPANLOOM_CLICKHOUSE__DATABASE, and run `spanloom migrate`"
    )


def folder(stack: ExitStack) -> Path:
    """Return where the files are."""
    return stack.enter_context(as_file(files("spanloom.schemas") / "clickhouse"))


def migrations(files_of: Path) -> list[Migration]:
    """Return the migrations in a folder."""
    storage = MigrationStorage(files_of)
    names = {version: Path(name).stem for version, name in storage.migration_filenames().items()}
    return [Migration(item.version, names[item.version], item.md5) for item in storage.migrations()]
