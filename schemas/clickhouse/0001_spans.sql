-- Every version of every span, as ingest wrote it; the view shows the newest of each.
--
-- A partition holds the spans that start in one month, so that retention drops parts instead of rewriting them. A
-- span that is sent again with another start may lie in two of them: FINAL merges across partitions here. What a query
-- asks of start_time must therefore leave out no partition, before the versions have met; ClickHouse 25.8 would. So the
-- month stands in a column of its own, which no query names.
--
-- Whoever sends a span chooses its start. What is before 2020 or after 2039 shares the first or last partition: each
-- partition of an insert costs milliseconds, and each one there is costs every query.
--
-- Granules are small: a session's traces lie anywhere, and for each of them a granule is read, texts and all. Blocks
-- of narrow columns are small as well, since a whole one is unpacked for a granule.
--
-- A part of one insert, or two, is compact: all its columns in one file, instead of a hundred files that a merge soon removes.
CREATE TABLE IF NOT EXISTS spans_versions
(
    project_id         LowCardinality(String),
    trace_id           String CODEC(ZSTD(1)),
    span_id            String CODEC(ZSTD(1)),
    parent_span_id     String CODEC(ZSTD(1)),
    name               String CODEC(ZSTD(1)),
    span_type          LowCardinality(String),
    service_name       LowCardinality(String),
    start_time         DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    end_time           DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    status             LowCardinality(String),
    status_message     String CODEC(ZSTD(1)),
    session_id         String CODEC(ZSTD(1)),
    user_id            String CODEC(ZSTD(1)),
    tags               Array(LowCardinality(String)),
    model              LowCardinality(String),
    provider           LowCardinality(String),
    input_tokens       UInt64 CODEC(T64, ZSTD(1)),
    output_tokens      UInt64 CODEC(T64, ZSTD(1)),
    cache_read_tokens  UInt64 CODEC(T64, ZSTD(1)),
    cache_write_tokens UInt64 CODEC(T64, ZSTD(1)),
    reasoning_tokens   UInt64 CODEC(T64, ZSTD(1)),
    unsplit_tokens     UInt64 CODEC(T64, ZSTD(1)),
    input_cost         Float64 CODEC(ZSTD(1)),
    output_cost        Float64 CODEC(ZSTD(1)),
    total_cost         Float64 CODEC(ZSTD(1)),
    priced             UInt8,
    time_to_first_token Float64 CODEC(ZSTD(1)),
    environment        LowCardinality(String),
    release            LowCardinality(String),
    scope              LowCardinality(String),
    response_id        String CODEC(ZSTD(1)),
    input              String CODEC(ZSTD(1)),
    output             String CODEC(ZSTD(1)),
    attributes         Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource           Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    events             Array(Tuple(name String, time DateTime64(9, 'UTC'), attributes Map(String, String))) CODEC(ZSTD(1)),

    -- Facts the trace fold needs and a reader does not: which key named the session and the user (a number that
    -- stays, 0 without one), the span's metadata, the name it gives the trace, the previews of what a person said and
    -- what the model answered with other texts that its input and output hold, and marks (`spanloom/spans/table.py`).
    session_key        UInt16,
    user_key           UInt16,
    metadata           Map(String, String) CODEC(ZSTD(1)),
    trace_name         String CODEC(ZSTD(1)),
    input_preview      String CODEC(ZSTD(1)),
    output_preview     String CODEC(ZSTD(1)),
    input_texts        Array(String) CODEC(ZSTD(1)),
    output_texts       Array(String) CODEC(ZSTD(1)),
    -- What was said behind the previews, for searching; mostly empty.
    said_rest          String CODEC(ZSTD(1)),
    marks              UInt16,
    -- Each text once: the attribute whose text is the input, or the output, has none in `attributes`; its key stands here.
    -- The text is put back in its place, without a lambda, which would repeat it for every attribute.
    input_key          LowCardinality(String),
    output_key         LowCardinality(String),
    texts_with_input   Array(String) ALIAS if(
        input_key = '',
        mapValues(attributes),
        arrayConcat(
            arraySlice(mapValues(attributes), 1, indexOf(mapKeys(attributes), input_key) - 1),
            [input],
            arraySlice(mapValues(attributes), indexOf(mapKeys(attributes), input_key) + 1)
        )
    ),
    all_attributes     Map(LowCardinality(String), String) ALIAS if(
        (input_key = '') AND (output_key = ''),
        attributes,
        mapFromArrays(mapKeys(attributes), if(
            output_key = '',
            texts_with_input,
            arrayConcat(
                arraySlice(texts_with_input, 1, indexOf(mapKeys(attributes), output_key) - 1),
                [output],
                arraySlice(texts_with_input, indexOf(mapKeys(attributes), output_key) + 1)
            )
        ))
    ),

    version            UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted         UInt8 DEFAULT 0,

    start_month        UInt32 MATERIALIZED toYYYYMM(least(
        greatest(start_time, toDateTime64('2020-01-01 00:00:00', 9, 'UTC')),
        toDateTime64('2039-12-01 00:00:00', 9, 'UTC')
    )),
    INDEX has_rest said_rest != '' TYPE set(2) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY start_month
ORDER BY (project_id, trace_id, span_id)
SETTINGS index_granularity = 512, min_compress_block_size = 4096, min_bytes_for_wide_part = 134217728;

-- Which spans count in their traces. An LLM or EMBEDDING span does, and nothing else, but for those that a trace's newest
-- row names: wrappers of these types, calls told twice, an agent that counts instead of its calls. Only who asks for such
-- a column of the view reads this. One row a trace wherever it stands, whatever it moves to: so there is no month in it.
CREATE TABLE IF NOT EXISTS span_counts_versions
(
    project_id            LowCardinality(String),
    trace_id              String CODEC(ZSTD(1)),
    counts_otherwise      Array(String) CODEC(ZSTD(1)),
    cost_counts_otherwise Array(String) CODEC(ZSTD(1)),
    unpriced_otherwise    Array(String) CODEC(ZSTD(1)),
    version               UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project_id, trace_id);

CREATE OR REPLACE VIEW spans AS
SELECT
    project_id,
    trace_id,
    span_id,
    parent_span_id,
    name,
    span_type,
    service_name,
    start_time,
    end_time,
    (toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time)) / 1e9 AS duration,
    status,
    status_message,
    session_id,
    user_id,
    tags,
    model,
    provider,
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
    priced,
    toUInt8((span_type IN ('LLM', 'EMBEDDING')) != ((project_id, trace_id, span_id) IN (
        SELECT
            project_id,
            trace_id,
            arrayJoin(counts_otherwise)
        FROM span_counts_versions FINAL
    ))) AS counts,
    toUInt8((span_type IN ('LLM', 'EMBEDDING')) != ((project_id, trace_id, span_id) IN (
        SELECT
            project_id,
            trace_id,
            arrayJoin(cost_counts_otherwise)
        FROM span_counts_versions FINAL
    ))) AS cost_counts,
    toUInt8(((span_type IN ('LLM', 'EMBEDDING')) AND (priced = 0) AND (status != 'error')) != ((project_id, trace_id, span_id) IN (
        SELECT
            project_id,
            trace_id,
            arrayJoin(unpriced_otherwise)
        FROM span_counts_versions FINAL
    ))) AS unpriced,
    time_to_first_token,
    environment,
    release,
    input,
    output,
    all_attributes AS attributes,
    resource,
    events
FROM spans_versions FINAL;
