"""Which database this is: an identity made with it, by which a worker sees when its state belongs to another one.

No migration makes it: it is of the database, whatever version its schema has.
"""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

TABLE = "database_identity"
"""Holds one row; of several, which runs at the same moment may make, the first one counts."""

_TABLE = f"""
CREATE TABLE IF NOT EXISTS {TABLE}
(
    identity UUID,
    made     DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (made, identity)
"""

_ROW = f"INSERT INTO {TABLE} (identity) SELECT generateUUIDv4() WHERE (SELECT count() FROM {TABLE}) = 0"

IDENTITY = f"""
SELECT toString(identity) AS identity
FROM {TABLE}
ORDER BY
    made,
    identity
LIMIT 1
"""
"""The identity, as text."""


_HAS_TABLE = f"SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = '{TABLE}'"

_HAS_ROW = f"SELECT count() FROM {TABLE}"


def make_identity(client: Client) -> None:
    """Give the database an identity, unless it has one: then nothing but questions is sent."""
    if not client.command(_HAS_TABLE):
        client.command(_TABLE)
    if not client.command(_HAS_ROW):
        client.command(_ROW)
