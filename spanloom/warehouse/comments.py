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


def apply_comments(client: Client, database: str) -> None:
    """Comment the columns of the views; those that are commented so already are not altered.

    Raises whatever the client does.
    """
    rows = client.query(_STORED, {"database": database}).result_rows
    stored = {(str(view), str(column)): str(comment) for view, column, comment in rows}
    for view, comments in column_comments().items():
        changes = [
            f"COMMENT COLUMN {column} {_quoted(comment)}"
            for column, comment in comments.items()
            if stored.get((view, column), comment) != comment
        ]
        if changes:
            client.command(f"ALTER TABLE {database}.{view} {', '.join(changes)}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
