"""The tables and views of this version, in ClickHouse.

`clickhouse-migrations` applies the files `schemas/clickhouse/NNNN_*.sql` in order, and keeps a row for each
in the table `schema_migrations`. Three things are done around it:

1. Its dry run would create the database, so ours only asks what is pending.
2. Its lock needs KeeperMap, which a server without Keeper does not have. So there is no lock: every statement
   may run twice and at the same time as another (CREATE … IF NOT EXISTS, CREATE OR REPLACE VIEW), and the
   bookkeeping table, created here beforehand, keeps one row a migration however many runs wrote it.
3. Its connection is ours: no session, our timeouts and TLS, and errors in our words.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster  # type: ignore[import-untyped]
from clickhouse_migrations.connection import (  # type: ignore[import-untyped]
    CLICKHOUSE_CONNECT,
    ClickhouseConnectConnection,
)
from clickhouse_migrations.exceptions import MigrationException  # type: ignore[import-untyped]
from clickhouse_migrations.migration import MigrationStorage  # type: ignore[import-untyped]
from clickhouse_migrations.migrator import (  # type: ignore[import-untyped]
    STATUS_MD5_MISMATCH,
    STATUS_PENDING,
    STATUS_UNKNOWN,
)

from spanloom.warehouse.client import SchemaError, WarehouseError, new_client
from spanloom.warehouse.errors import translate
from spanloom.warehouse.schema.comments import apply_comments, describe, differing_comments
from spanloom.warehouse.schema.known import BOOKKEEPING, Migration, changed, folder, migrations
from spanloom.warehouse.schema.own_tables import make_own_tables
from spanloom.warehouse.schema.retention import apply_retention
from spanloom.warehouse.schema.views import repair_views, views_of
from spanloom.warehouse.settings import ClickHouseSettings

# The columns are the package's, which finds the table there and leaves it as it is.
_BOOKKEEPING_TABLE = f"""
CREATE TABLE IF NOT EXISTS {BOOKKEEPING}
(
    version    UInt32,
    md5        String,
    script     String,
    created_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree
ORDER BY (version, md5)
"""

# Seconds. A migration may copy a table, and a connection that ends before would leave it undone.
_LONGEST_STATEMENT = 3600


class _Cluster(ClickhouseCluster):  # type: ignore[misc]
    """The package's entry, over our client."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        super().__init__(
            db_name=settings.database,
            driver=CLICKHOUSE_CONNECT,
            migrations_table=BOOKKEEPING,
            secure=settings.secure,
        )
        timeout = max(settings.read_timeout, _LONGEST_STATEMENT)
        self.migration_settings = settings.model_copy(update={"read_timeout": timeout})

    def connection(self, db_name: str | None = None) -> ClickhouseConnectConnection:
        name = self.migration_settings.database if db_name is None else db_name
        return ClickhouseConnectConnection(new_client(self.migration_settings, name or None))


def migrate(settings: ClickHouseSettings, dry_run: bool = False) -> list[str]:
    """Bring ClickHouse up to date: the database, its tables and views, and how long rows are kept.

    In this order: see what is pending and that what was applied is what this version knows; create the
    database and the bookkeeping table; apply each pending file and note it down; recreate the views that
    are missing or differ; set the retention and the comments of columns. Safe to repeat, to run from several
    pods at once, and to break off anywhere.

    Args:
        dry_run: change nothing.

    Returns: the names of the migrations applied (or pending, in a dry run), then a sentence for each view
        recreated (in a dry run only if nothing is pending), for each table whose retention was changed, and for the
        comments that differed before. Those of a view that is new come with it and are not named.

    Raises:
        Unavailable: ClickHouse is away; try again.
        SchemaError: a migration was changed after it had been applied, or ClickHouse belongs to a newer
            version, or lacks a table.
        WarehouseError: ClickHouse refused a statement.
    """
    try:
        return _migrate(settings, dry_run)
    except (ClickHouseError, OSError) as error:
        raise translate(error, "migrate", settings.url) from None
    except MigrationException as error:
        raise WarehouseError(f"The migration of {settings.url} failed: {error}") from None


def _migrate(settings: ClickHouseSettings, dry_run: bool) -> list[str]:
    with ExitStack() as stack:
        files = folder(stack)
        known = {migration.version: migration for migration in migrations(files)}
        cluster = _Cluster(settings)
        pending = _pending(cluster, files, known, settings)
        with closing(new_client(cluster.migration_settings, None)) as client:
            comments = dict(differing_comments(client, settings.database))
        if pending and not dry_run:
            with cluster.connection("") as connection:
                # Asked first: a user who may not create databases may still fill one.
                if not connection.query(f"SELECT 1 FROM system.databases WHERE name = '{settings.database}'"):
                    cluster.create_db(settings.database)
            with cluster.connection() as connection:
                connection.command(_BOOKKEEPING_TABLE)
            applied = cluster.migrate(
                settings.database, files, create_db_if_no_exists=False, migration_log_format="compact"
            )
            pending = [migration.version for migration in applied]
        views = views_of(migration.script for migration in MigrationStorage(files).migrations())
    done = [known[version].name for version in pending]
    database_exists = not (pending and dry_run)
    with closing(
        new_client(cluster.migration_settings, settings.database if database_exists else None)
    ) as client:
        if database_exists:
            repaired = repair_views(client, settings, views, dry_run)
            done += repaired.values()
            comments = {view: each for view, each in comments.items() if view not in repaired}
        done += apply_retention(client, settings, dry_run)
        if not dry_run:
            make_own_tables(client)
            apply_comments(client, settings.database)
        done += describe(comments)
    return done


def _pending(
    cluster: ClickhouseCluster, files: Path, known: dict[int, Migration], settings: ClickHouseSettings
) -> list[int]:
    rows = cluster.status(settings.database, files)
    for row in rows:
        if row.state == STATUS_UNKNOWN:
            raise SchemaError(
                f"The database {settings.database} at {settings.url} belongs to a newer spanloom: it has "
                f"migration {row.version}, this version knows up to {max(known)}; use the newer one"
            )
        if row.state == STATUS_MD5_MISMATCH:
            raise changed(known[row.version], settings)
    return [row.version for row in rows if row.state == STATUS_PENDING]
