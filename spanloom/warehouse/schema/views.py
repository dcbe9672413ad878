"""The views as the migrations leave them, and recreating those that ClickHouse lacks or has otherwise.

A restored backup may lack views, or have them as an older version made them, while the bookkeeping says that every
migration has been applied. Both definitions are compared as this ClickHouse formats them, so that spaces and the
writing of numbers don't count; the one that is stored names its database before each table, which is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from clickhouse_connect.driver.client import Client
from clickhouse_migrations.migrator import split_statement_tokens  # type: ignore[import-untyped]

from spanloom.warehouse.client import known_settings
from spanloom.warehouse.errors import SchemaError
from spanloom.warehouse.settings import ClickHouseSettings
from spanloom.warehouse.write import EXACT


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        select: its query.
        target: the table that a materialized view fills; empty for one that only reads.
    """

    name: str
    select: str
    target: str = ""

    @property
    def source(self) -> str:
        """The table that is read."""
        found = re.search(r"\bFROM (\w+)", self.select)
        assert found is not None, f"the view {self.name} reads no table"
        return found.group(1)


_PLAIN = re.compile(r"CREATE OR REPLACE VIEW (?P<name>\w+) AS\s+(?P<select>.+)", re.DOTALL)
_MATERIALIZED = re.compile(
    r"CREATE MATERIALIZED VIEW IF NOT EXISTS (?P<name>\w+) TO (?P<target>\w+) AS\s+(?P<select>.+)", re.DOTALL
)
_QUERY = re.compile(r"ALTER TABLE (?P<name>\w+) MODIFY QUERY\s+(?P<select>.+)", re.DOTALL)
_DROP = re.compile(r"DROP VIEW IF EXISTS (?P<name>\w+)")


def views_of(scripts: Iterable[str]) -> list[View]:
    """Return what the migrations define in the end, in the order in which it is made.

    Args:
        scripts: the migrations' SQL, in order.

    Raises:
        ValueError: a statement about a view is written in a way that is not understood here.
    """
    views: dict[str, View] = {}
    for statement in (statement for script in scripts for statement in _statements(script)):
        if found := _PLAIN.fullmatch(statement) or _MATERIALIZED.fullmatch(statement):
            view = View(**found.groupdict())
            # What is there already is left as it is by IF NOT EXISTS.
            if not view.target or view.name not in views:
                views[view.name] = view
        elif found := _QUERY.fullmatch(statement):
            before = views[found["name"]]
            views[before.name] = View(before.name, found["select"], before.target)
        elif found := _DROP.fullmatch(statement):
            del views[found["name"]]
        elif re.search(r"\bVIEW\b|\bMODIFY QUERY\b", statement):
            raise ValueError(f"not understood by spanloom migrate: {statement.splitlines()[0]}")
    return list(views.values())


def repair_views(
    client: Client, settings: ClickHouseSettings, views: Iterable[View], dry_run: bool = False
) -> dict[str, str]:
    """Recreate every view that is missing or differs; the others are not changed.

    What a view that fills a table has missed is copied first: all rows once more, and each replaces itself. Broken off
    anywhere, the next run does the same again. What is being inserted at the very moment in which the view is made may
    be missed if that run is broken off, so workers should be stopped then.

    Args:
        client: one whose database is that of the settings.

    Returns: a sentence for each view recreated (or that would be, in a dry run), by the view's name.

    Raises:
        SchemaError: a table is missing.
    """
    database = settings.database
    rows = client.query(_STORED, {"database": database}).named_results()
    stored: dict[str, dict[str, Any]] = {row["name"]: row for row in rows}
    repaired = {}
    for view in views:
        for table in filter(None, (view.source, view.target)):
            if table not in stored:
                raise SchemaError(
                    f"The database {database} at {settings.url} lacks the table {table}, though its migration was "
                    "applied: restore it from a backup, or start with an empty database"
                )
        present = stored.get(view.name)
        if present is not None and _as_stored(client, view) == _signature(present, database):
            continue
        if not dry_run:
            _make(client, view, present is not None and _signature(present, database)[1])
        state = "was missing" if present is None else "differed"
        repaired[view.name] = f"the view {view.name}, which {state}"
    return repaired


_STORED = """
SELECT
    name,
    as_select,
    create_table_query
FROM system.tables
WHERE database = {database:String}
"""

_TARGET = re.compile(r"CREATE MATERIALIZED VIEW \S+ TO (\S+) ")


def _signature(present: dict[str, Any], database: str) -> tuple[str, str]:
    """Query and target of a view that is there ('' without one), without the name of its database."""
    own = re.compile(rf"(?<!\S)`?{re.escape(database)}`?\.(?=\w)")
    target = _TARGET.match(present["create_table_query"])
    return own.sub("", present["as_select"]), own.sub("", target[1]) if target else ""


def _as_stored(client: Client, view: View) -> tuple[str, str]:
    formatted = client.query(
        "SELECT formatQuerySingleLine({query:String})", {"query": view.select}
    ).result_rows
    return str(formatted[0][0]), view.target


def _make(client: Client, view: View, present_target: str | Literal[False]) -> None:
    if not view.target:
        client.command(f"CREATE OR REPLACE VIEW {view.name} AS {view.select}")
        return
    # A view that is there and right is taken for complete. So what it missed is copied before it is made: broken off,
    # the next run does it again. And once more afterwards, for what was inserted meanwhile.
    _copy(client, view)
    if present_target == view.target:
        # Inserts go on meanwhile, and none passes by the view.
        client.command(f"ALTER TABLE {view.name} MODIFY QUERY {view.select}")
    else:
        if present_target is not False:
            client.command(f"DROP VIEW IF EXISTS {view.name}")
        client.command(
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view.name} TO {view.target} AS {view.select}"
        )
    _copy(client, view)


def _copy(client: Client, view: View) -> None:
    """Copy all rows into the table that a view fills."""
    columns = ", ".join(str(row[0]) for row in client.query(f"DESCRIBE TABLE ({view.select})").result_rows)
    client.command(
        f"INSERT INTO {view.target} ({columns}) {view.select}", settings=known_settings(client, EXACT)
    )


def _statements(script: str) -> list[str]:
    """The statements without comments."""
    return [
        "".join(token.text for token in tokens if not token.kind.endswith("_comment")).strip()
        for tokens in split_statement_tokens(script)
    ]
