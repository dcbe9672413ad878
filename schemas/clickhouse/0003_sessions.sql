-- Every version of every session window: the sums of the traces of one session that start in one window. Partitions
-- are months of windows, as in 0002.
CREATE TABLE IF NOT EXISTS session_windows_versions
(
    project_id          LowCardinality(String),
    window_start        DateTime('UTC') CODEC(Delta, ZSTD(1)),
    session_id          String CODEC(ZSTD(1)),
    user_id             String CODEC(ZSTD(1)),
    user_since          DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    user_ids            Array(String) CODEC(ZSTD(1)),
    start_time          DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    end_time            DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    active_nanoseconds  UInt64 CODEC(ZSTD(1)),
    trace_count         UInt64 CODEC(T64, ZSTD(1)),
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
    tags                Array(LowCardinality(String)),
    services            Array(LowCardinality(String)),
    environments        Array(LowCardinality(String)),
    releases            Array(LowCardinality(String)),

    -- How the input begins of the earliest trace that has one: lists of sessions show it and sort by it.
    first_input         String CODEC(ZSTD(1)),

    version             UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted          UInt8 DEFAULT 0,

    -- Names the session: what adds up a million sessions takes a third of the time that their IDs would cost.
    session_hash        Int128 MATERIALIZED reinterpretAsInt128(sipHash128Reference(project_id, session_id)),

    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX end_time_minmax end_time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(least(
    greatest(window_start, toDateTime('2020-01-01 00:00:00', 'UTC')),
    toDateTime('2039-12-01 00:00:00', 'UTC')
))
ORDER BY (project_id, window_start, session_id);

-- Every version of every session window once more, with the session before the window in the sort key: all of one
-- session lies together, which is what whole totals of some sessions need; the table above is for ranges of time.
-- The two keys have the same columns, so rows replace each other here as there.
--
-- Granules are small, and so are the blocks of a column, of which a whole one is unpacked for a granule: a page of a
-- list is fifty sessions that lie anywhere.
CREATE TABLE IF NOT EXISTS session_windows_by_session_versions
(
    project_id          LowCardinality(String),
    window_start        DateTime('UTC') CODEC(Delta, ZSTD(1)),
    session_id          String CODEC(ZSTD(1)),
    user_id             String CODEC(ZSTD(1)),
    user_since          DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    user_ids            Array(String) CODEC(ZSTD(1)),
    start_time          DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    end_time            DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    active_nanoseconds  UInt64 CODEC(ZSTD(1)),
    trace_count         UInt64 CODEC(T64, ZSTD(1)),
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
    tags                Array(LowCardinality(String)),
    services            Array(LowCardinality(String)),
    environments        Array(LowCardinality(String)),
    releases            Array(LowCardinality(String)),
    first_input         String CODEC(ZSTD(1)),
    version             UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted          UInt8 DEFAULT 0,
    session_hash        Int128 MATERIALIZED reinterpretAsInt128(sipHash128Reference(project_id, session_id))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(least(
    greatest(window_start, toDateTime('2020-01-01 00:00:00', 'UTC')),
    toDateTime('2039-12-01 00:00:00', 'UTC')
))
ORDER BY (project_id, session_id, window_start)
SETTINGS index_granularity = 256, min_compress_block_size = 4096;

CREATE MATERIALIZED VIEW IF NOT EXISTS session_windows_into_sessions TO session_windows_by_session_versions AS
SELECT
    project_id,
    window_start,
    session_id,
    user_id,
    user_since,
    user_ids,
    start_time,
    end_time,
    active_nanoseconds,
    trace_count,
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
    tags,
    services,
    environments,
    releases,
    first_input,
    version,
    is_deleted
FROM session_windows_versions;

CREATE OR REPLACE VIEW session_windows AS
SELECT
    project_id,
    session_id,
    window_start,
    user_id,
    user_ids,
    start_time,
    end_time,
    (toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time)) / 1e9 AS duration,
    active_nanoseconds / 1e9 AS active_duration,
    trace_count,
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
    tags,
    services,
    environments,
    releases
FROM session_windows_versions FINAL;

-- Costs are added as whole picodollars: adding floats depends on their order, and a total must not.
CREATE OR REPLACE VIEW sessions AS
SELECT
    project_id,
    session_id,
    argMinIf(w.user_id, (w.user_since, w.user_id), w.user_id != '') AS user_id,
    arraySort(groupUniqArrayArray(w.user_ids)) AS user_ids,
    min(w.start_time) AS start_time,
    max(w.end_time) AS end_time,
    (toUnixTimestamp64Nano(max(w.end_time)) - toUnixTimestamp64Nano(min(w.start_time))) / 1e9 AS duration,
    sum(w.active_nanoseconds) / 1e9 AS active_duration,
    sum(w.trace_count) AS trace_count,
    sum(w.span_count) AS span_count,
    sum(w.llm_call_count) AS llm_call_count,
    sum(w.tool_call_count) AS tool_call_count,
    sum(w.failure_count) AS failure_count,
    sum(w.error_count) AS error_count,
    sum(w.input_tokens) AS input_tokens,
    sum(w.output_tokens) AS output_tokens,
    sum(w.cache_read_tokens) AS cache_read_tokens,
    sum(w.cache_write_tokens) AS cache_write_tokens,
    sum(w.reasoning_tokens) AS reasoning_tokens,
    sum(w.unsplit_tokens) AS unsplit_tokens,
    sum(w.input_tokens) + sum(w.output_tokens) + sum(w.unsplit_tokens) AS total_tokens,
    toFloat64(sum(toInt128(round(w.input_cost * 1e12)))) / 1e12 AS input_cost,
    toFloat64(sum(toInt128(round(w.output_cost * 1e12)))) / 1e12 AS output_cost,
    toFloat64(sum(toInt128(round(w.total_cost * 1e12)))) / 1e12 AS total_cost,
    sum(w.unpriced_call_count) AS unpriced_call_count,
    arraySort(groupUniqArrayArray(w.models)) AS models,
    arraySort(groupUniqArrayArray(w.tags)) AS tags,
    arraySort(groupUniqArrayArray(w.services)) AS services,
    arraySort(groupUniqArrayArray(w.environments)) AS environments,
    arraySort(groupUniqArrayArray(w.releases)) AS releases
FROM session_windows_by_session_versions AS w FINAL
GROUP BY
    project_id,
    session_id;
