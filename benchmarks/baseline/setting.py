"""What surrounds the baseline: its topics and tables, how it is started, and whether it was right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.load.load import Totals, Truth
from benchmarks.parts import Stack
from benchmarks.produce import PARTITIONS

SPANS = "baseline-spans"
"""The topic that it reads: one JSON event a span."""

TOPICS = (
    SPANS,
    "baseline-facts",
    "baseline-turns",
    "baseline-baseline-traces-changelog",
    "baseline-baseline-sessions-changelog",
)
"""Its topics, and its changelogs, which Faust would ask for with settings that Tansu refuses."""

_SUMS = """
    key String, session_id String, user_id String, name String, start_time UInt64, end_time UInt64,
    traces UInt64, spans UInt64, llm_calls UInt64, tool_calls UInt64, errors UInt64, input_tokens UInt64,
    output_tokens UInt64, cost Float64, models Array(LowCardinality(String)), version UInt64
"""

_TABLES = (
    "CREATE DATABASE IF NOT EXISTS baseline",
    """CREATE TABLE baseline.spans (
    trace_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)), parent_span_id String CODEC(ZSTD(1)),
    name String CODEC(ZSTD(1)), start_time UInt64, end_time UInt64, status LowCardinality(String),
    status_message String CODEC(ZSTD(1)), service_name LowCardinality(String),
    span_type LowCardinality(String), session_id String, user_id String, model LowCardinality(String),
    provider LowCardinality(String), input_tokens UInt64, output_tokens UInt64, cache_read_tokens UInt64,
    cost Float64, input String CODEC(ZSTD(1)), output String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1))
    ) ENGINE = ReplacingMergeTree ORDER BY (trace_id, span_id)""",
    f"CREATE TABLE baseline.traces ({_SUMS}) ENGINE = ReplacingMergeTree(version) ORDER BY key",
    f"CREATE TABLE baseline.sessions ({_SUMS}) ENGINE = ReplacingMergeTree(version) ORDER BY key",
)


def create_tables(stack: Stack) -> None:
    """Create the database `baseline`."""
    for statement in _TABLES:
        stack.query(statement)


async def create_topics(bootstrap_servers: str) -> None:
    """Create its topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in TOPICS])
    finally:
        await admin.close()


def environment(stack: Stack, ready: Path) -> dict[str, str]:
    """What it needs to work on this stack; it makes the file `ready` when its partitions are assigned."""
    return {
        "BASELINE_BROKER": f"kafka://{stack.bootstrap_servers}",
        "BASELINE_CLICKHOUSE": stack.url,
        "BASELINE_DATA": str(stack.folder / "baseline"),
        "BASELINE_READY": str(ready),
    }


def spans_in_sessions(stack: Stack) -> int:
    """How many spans its sessions show so far."""
    return int(stack.query("SELECT sum(spans) AS spans FROM baseline.sessions FINAL")[0]["spans"])


def differences(stack: Stack, truth: Truth) -> Iterator[str]:
    """A sentence for each session that differs from the truth; costs, which are floats there, left out."""
    columns = [name for name in Totals.__dataclass_fields__ if name != "cost"]
    rows = stack.query(f"SELECT key, {', '.join(columns)} FROM baseline.sessions FINAL")
    found = {row["key"]: tuple(int(row[name]) for name in columns) for row in rows}
    expected = {
        session_id: tuple(getattr(totals, name) for name in columns)
        for session_id, totals in truth.sessions.items()
    }
    for session_id in sorted(found.keys() | expected.keys()):
        if found.get(session_id) != expected.get(session_id):
            yield f"baseline session {session_id}: {found.get(session_id)}, not {expected.get(session_id)}"
