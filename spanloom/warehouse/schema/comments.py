"""What each column of the views means, said in ClickHouse: who explores them with SQL or Grafana reads it there.

The words are those of docs/schema.md: `python -m tests.docs.generated` takes them from there into
`schemas/columns.toml`, which a test compares.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from clickhouse_connect.driver.client import Client

_STORED = """
SELECT
    table,
    name,
    comment
FROM system.columns
WHERE database = {database:String}
"""


def column_comments() -> Mapping[str, Mapping[str, str]]:
    """Return the meaning of each column, by view and column."""
    return tomllib.loads((files("spanloom.schemas") / "columns.toml").read_text("utf-8"))


def differing_comments(client: Client, database: str) -> Mapping[str, Mapping[str, str]]:
    """Return the comments that columns ought to have and don't, by view and column.

    Columns and views that are not there, as in a database that does not exist, have none that could differ.
    """
    rows = client.query(_STORED, {"database": database}).result_rows
    stored = {(str(view), str(column)): str(comment) for view, column, comment in rows}
    differing: dict[str, dict[str, str]] = {}
    for view, comments in column_comments().items():
        for column, comment in comments.items():
            if stored.get((view, column), comment) != comment:
                differing.setdefault(view, {})[column] = comment
    return differing


def apply_comments(client: Client, database: str) -> None:
    """Comment the columns of the views; those that are commented so already are not altered.

    It needs the right `ALTER COMMENT COLUMN`. Raises whatever the client does.
    """
    for view, comments in differing_comments(client, database).items():
        changes = [f"COMMENT COLUMN {column} {_quoted(comment)}" for column, comment in comments.items()]
        client.command(f"ALTER TABLE {database}.{view} {', '.join(changes)}")


def describe(differing: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return how many comments differ as one sentence, `comments: 12 columns of 3 views`; none where none does."""
    columns = sum(len(comments) for comments in differing.values())
    return (
        [f"comments: {_counted(columns, 'column')} of {_counted(len(differing), 'view')}"] if columns else []
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
