"""Tables that spanloom keeps for itself, made beside the migrations: they are of the database, whatever its schema is.

* The identity of the database, by which a worker sees when its state belongs to another one.
* What was forgotten on request: who had what kind of thing forgotten, when, and how much it was, never what it was
  (rows are only ever added); and the traces that are being forgotten, what `spanloom forget` has still to do if it is
  broken off (a portion goes when all of it is done).
"""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

_IDENTITY_NAME = "database_identity"
"""Holds one row; of several, which runs at the same moment may make, the first one counts."""

_IDENTITY_TABLE = f"""
CREATE TABLE IF NOT EXISTS {_IDENTITY_NAME}
(
    identity UUID,
    made     DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (made, identity)
"""

_HAS_ROW = f"SELECT count() FROM {_IDENTITY_NAME}"

_ROW = f"INSERT INTO {_IDENTITY_NAME} (identity) SELECT generateUUIDv4() WHERE ({_HAS_ROW}) = 0"

IDENTITY = f"""
SELECT toString(identity) AS identity
FROM {_IDENTITY_NAME}
ORDER BY
    made,
    identity
LIMIT 1
"""
"""The identity, as text."""


_ERASURES = """
CREATE TABLE IF NOT EXISTS erasures
(
    time       DateTime64(3, 'UTC') DEFAULT now64(3),
    erasure_id String,
    step       LowCardinality(String),
    who        String,
    project_id LowCardinality(String),
    kind       LowCardinality(String),
    traces     UInt64,
    spans      UInt64
)
ENGINE = MergeTree
ORDER BY (time, erasure_id)
"""

_FORGOTTEN_TRACES = """
CREATE TABLE IF NOT EXISTS forgotten_traces
(
    portion    String,
    project_id LowCardinality(String),
    trace_id   String CODEC(ZSTD(1)),
    spans      UInt64,
    version    UInt64
)
ENGINE = MergeTree
ORDER BY (portion, project_id, trace_id)
"""

_TABLES = {
    _IDENTITY_NAME: _IDENTITY_TABLE,
    "erasures": _ERASURES,
    "forgotten_traces": _FORGOTTEN_TRACES,
}

_EXISTING = "SELECT name FROM system.tables WHERE database = currentDatabase()"


def make_own_tables(client: Client) -> None:
    """Make the tables that are missing, and the identity. Where nothing is missing, nothing but questions is sent."""
    existing = {name for (name,) in client.query(_EXISTING).result_rows}
    for name, statement in _TABLES.items():
        if name not in existing:
            client.command(statement)
    if not client.command(_HAS_ROW):
        client.command(_ROW)
