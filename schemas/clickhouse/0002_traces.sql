-- Every version of every trace. The session and the window stand in the sort key so that a session's traces
-- lie together and one window of a session is one range; a trace that moves leaves an is_deleted row where
-- it stood.
--
-- The partition is the month of the window, which stands in the sort key: a row never changes it, and FINAL works
-- partition by partition. The years that share the first and the last one: see 0001.
CREATE TABLE IF NOT EXISTS traces_versions
(
    project_id          LowCardinality(String),
    session_id          String CODEC(ZSTD(1)),
    window_start        DateTime('UTC') CODEC(Delta, ZSTD(1)),
    trace_id            String CODEC(ZSTD(1)),
    name                String CODEC(ZSTD(1)),
    user_id             String CODEC(ZSTD(1)),
    tags                Array(LowCardinality(String)),
    metadata            Map(String, String) CODEC(ZSTD(1)),
    services            Array(LowCardinality(String)),
    environment         LowCardinality(String),
    release             LowCardinality(String),
    start_time          DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    end_time            DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    status              LowCardinality(String),
    span_count          UInt64 CODEC(T64, ZSTD(1)),
    llm_call_count      UInt64 CODEC(T64, ZSTD(1)),
    tool_call_count     UInt64 CODEC(T64, ZSTD(1)),
    failure_count       UInt64 CODEC(T64, ZSTD(1)),
    error_count         UInt64 CODEC(T64, ZSTD(1)),
    input_tokens        UInt64 CODEC(T64, ZSTD(1)),
    output_tokens       UInt64 CODEC(T64, ZSTD(1)),
    cache_read_tokens   UInt64 CODEC(T64, ZSTD(1)),
    cache_write_tokens  UInt64 CODEC(T64, ZSTD(1)),
    reasoning_tokens    UInt64 CODEC(T64, ZSTD(1)),
    unsplit_tokens      UInt64 CODEC(T64, ZSTD(1)),
    input_cost          Float64 CODEC(ZSTD(1)),
    output_cost         Float64 CODEC(ZSTD(1)),
    total_cost          Float64 CODEC(ZSTD(1)),
    unpriced_call_count UInt64 CODEC(T64, ZSTD(1)),
    models              Array(LowCardinality(String)),
    input               String CODEC(ZSTD(1)),
    output              String CODEC(ZSTD(1)),
    root_span_id        String CODEC(ZSTD(1)),

    -- Spans that do not count as one expects of their type; 0001 says more.
    counts_otherwise      Array(String) CODEC(ZSTD(1)),
    cost_counts_otherwise Array(String) CODEC(ZSTD(1)),
    unpriced_otherwise    Array(String) CODEC(ZSTD(1)),

    version             UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted          UInt8 DEFAULT 0,
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX start_time_minmax start_time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(least(
    greatest(window_start, toDateTime('2020-01-01 00:00:00', 'UTC')),
    toDateTime('2039-12-01 00:00:00', 'UTC')
))
ORDER BY (project_id, session_id, window_start, trace_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS traces_into_span_counts TO span_counts_versions AS
SELECT
    project_id,
    trace_id,
    counts_otherwise,
    cost_counts_otherwise,
    unpriced_otherwise,
    version
FROM traces_versions
WHERE is_deleted = 0;

CREATE OR REPLACE VIEW traces AS
SELECT
    project_id,
    session_id,
    trace_id,
    name,
    user_id,
    tags,
    metadata,
    services,
    environment,
    release,
    start_time,
    end_time,
    (toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time)) / 1e9 AS duration,
    status,
    span_count,
    llm_call_count,
    tool_call_count,
    failure_count,
    error_count,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    unsplit_tokens,
    input_tokens + output_tokens + unsplit_tokens AS total_tokens,
    input_cost,
    output_cost,
    total_cost,
    unpriced_call_count,
    models,
    input,
    output,
    root_span_id
FROM traces_versions FINAL;
