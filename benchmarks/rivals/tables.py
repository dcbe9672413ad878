"""The tables of the rivals, in a database each."""

from __future__ import annotations

_SPANS = """CREATE TABLE {database}.spans (
    trace_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)), parent_span_id String CODEC(ZSTD(1)),
    name String CODEC(ZSTD(1)), start_time UInt64, end_time UInt64, status LowCardinality(String),
    status_message String CODEC(ZSTD(1)), service_name LowCardinality(String),
    span_type LowCardinality(String), session_id String, user_id String, model LowCardinality(String),
    provider LowCardinality(String), input_tokens UInt64, output_tokens UInt64, cache_read_tokens UInt64,
    cost Float64, input String CODEC(ZSTD(1)), output String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree ORDER BY (trace_id, span_id)"""

_SUMS = """CREATE TABLE {database}.{table} (
    key String, session_id String, user_id String, name String, start_time UInt64, end_time UInt64,
    traces UInt64, spans UInt64, llm_calls UInt64, tool_calls UInt64, errors UInt64, input_tokens UInt64,
    output_tokens UInt64, cost Float64, models Array(LowCardinality(String)), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY key"""

_ADDED_TRACES = """CREATE TABLE {database}.traces (
    key String,
    session_id SimpleAggregateFunction(max, String),
    user_id SimpleAggregateFunction(max, String),
    name SimpleAggregateFunction(max, String),
    start_time SimpleAggregateFunction(min, UInt64),
    end_time SimpleAggregateFunction(max, UInt64),
    spans SimpleAggregateFunction(sum, UInt64),
    llm_calls SimpleAggregateFunction(sum, UInt64),
    tool_calls SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    input_tokens SimpleAggregateFunction(sum, UInt64),
    output_tokens SimpleAggregateFunction(sum, UInt64),
    cost SimpleAggregateFunction(sum, Float64),
    models SimpleAggregateFunction(groupUniqArrayArray, Array(String))
) ENGINE = AggregatingMergeTree ORDER BY key"""

_ADD_TO_TRACES = """CREATE MATERIALIZED VIEW {database}.spans_to_traces TO {database}.traces AS SELECT
    trace_id AS key,
    max(session_id) AS session_id,
    max(user_id) AS user_id,
    max(if(parent_span_id = '', name, '')) AS name,
    min(start_time) AS start_time,
    max(end_time) AS end_time,
    count() AS spans,
    countIf(span_type = 'LLM') AS llm_calls,
    countIf(span_type = 'TOOL') AS tool_calls,
    countIf(status = 'error') AS errors,
    sumIf(input_tokens, span_type = 'LLM') AS input_tokens,
    sumIf(output_tokens, span_type = 'LLM') AS output_tokens,
    sumIf(cost, span_type = 'LLM') AS cost,
    groupUniqArrayIf(toString(model), span_type = 'LLM') AS models
FROM {database}.spans GROUP BY trace_id"""

_ADDED_SESSIONS = """CREATE VIEW {database}.sessions AS SELECT
    t.session_id AS key,
    max(t.user_id) AS user_id,
    min(t.start_time) AS start_time,
    max(t.end_time) AS end_time,
    count() AS traces,
    sum(t.spans) AS spans,
    sum(t.llm_calls) AS llm_calls,
    sum(t.tool_calls) AS tool_calls,
    sum(t.errors) AS errors,
    sum(t.input_tokens) AS input_tokens,
    sum(t.output_tokens) AS output_tokens,
    sum(t.cost) AS cost,
    groupUniqArrayArray(t.models) AS models
FROM {database}.traces AS t FINAL
WHERE t.session_id != '' GROUP BY t.session_id"""


def folded_tables(database: str) -> list[str]:
    """Of an application that folds: it writes traces and sessions itself, each row with a version."""
    return [
        f"CREATE DATABASE {database}",
        _SPANS.format(database=database),
        *(_SUMS.format(database=database, table=table) for table in ("traces", "sessions")),
    ]


def adding_tables(database: str) -> list[str]:
    """Where ClickHouse adds up traces at each insert of spans, and sessions at each query."""
    parts = (_SPANS, _ADDED_TRACES, _ADD_TO_TRACES, _ADDED_SESSIONS)
    return [f"CREATE DATABASE {database}", *(part.format(database=database) for part in parts)]
