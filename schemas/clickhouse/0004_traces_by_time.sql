-- What lists of traces and free text need, sorted by time: every version of every trace once more, without its
-- long texts. `traces_versions` has the session before the window in its sort key, so a range of time is spread
-- over all of it. The two keys have the same columns, so rows replace each other here as they do there.
--
-- Granules are small: a page of a list is fifty rows that lie anywhere.
CREATE TABLE IF NOT EXISTS traces_by_time_versions
(
    project_id          LowCardinality(String),
    window_start        DateTime('UTC') CODEC(Delta, ZSTD(1)),
    session_id          String CODEC(ZSTD(1)),
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
    root_span_id        String CODEC(ZSTD(1)),

    -- The first 200 characters, and both texts in lower-case and with accents composed, for searching.
    input_start         String CODEC(ZSTD(1)),
    output_start        String CODEC(ZSTD(1)),
    said                String CODEC(ZSTD(1)),

    version             UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted          UInt8 DEFAULT 0,
    INDEX end_time_minmax end_time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(least(
    greatest(window_start, toDateTime('2020-01-01 00:00:00', 'UTC')),
    toDateTime('2039-12-01 00:00:00', 'UTC')
))
ORDER BY (project_id, window_start, session_id, trace_id)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces_into_time TO traces_by_time_versions AS
SELECT
    project_id,
    window_start,
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
    input_cost,
    output_cost,
    total_cost,
    unpriced_call_count,
    models,
    root_span_id,
    substringUTF8(input, 1, 200) AS input_start,
    substringUTF8(output, 1, 200) AS output_start,
    lowerUTF8(normalizeUTF8NFC(concat(input, '\0', output))) AS said,
    version,
    is_deleted
FROM traces_versions;
