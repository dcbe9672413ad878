-- Who had what kind of thing forgotten, when, and how much it was; never what it was. Rows are only ever added.
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
ORDER BY (time, erasure_id);

-- Traces that are being forgotten: what `spanloom forget` has still to do, if it is broken off. A portion goes when all of
-- it is done.
CREATE TABLE IF NOT EXISTS forgotten_traces
(
    portion    String,
    project_id LowCardinality(String),
    trace_id   String CODEC(ZSTD(1)),
    spans      UInt64,
    version    UInt64
)
ENGINE = MergeTree
ORDER BY (portion, project_id, trace_id);
