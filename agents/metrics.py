"""The metrics of the worker: a catalogue. Units are base units; `stage` is the name of an agent."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)

BATCHES = Counter("spanloom_batches", "Batches that were acknowledged.", ["stage"])
RECORDS = Counter("spanloom_records", "Kafka records that were acknowledged.", ["stage"])
SPANS = Counter("spanloom_spans", "Spans that ingest has read; a redelivered span counts again.")
UNPRICED_SPANS = Counter(
    "spanloom_unpriced_spans",
    "Spans with tokens of a model whose price is not known; `other` is what has no known name, or too many.",
    ["provider", "model"],
)
DEAD_LETTERS = Counter(
    "spanloom_dead_letters", "Messages and spans that could not be read. Look at any rise.", ["stage"]
)
ROWS = Counter("spanloom_rows", "Rows written to ClickHouse.", ["table"])
GAPS = Counter(
    "spanloom_gaps",
    "Times that a partition was read again because records were left out or it had stalled. Rare, and harmless.",
    ["stage"],
)
WORK_SECONDS = Histogram("spanloom_work_seconds", "Computing of a batch.", ["stage"], buckets=_SECONDS)
CHECKPOINT_SECONDS = Histogram(
    "spanloom_checkpoint_seconds",
    "Checkpoint of a batch. Worry when it nears the group's rebalance timeout.",
    ["stage"],
    buckets=_SECONDS,
)
CHECKPOINT_TIME = Gauge("spanloom_checkpoint_time_seconds", "When a batch was last acknowledged.", ["stage"])
OPEN_KEYS = Gauge("spanloom_open_keys", "Traces or session windows held in memory.", ["stage"])
LOOKUPS = Counter(
    "spanloom_lookups", "Keys looked up in ClickHouse because their state may be lost.", ["stage"]
)
WAITING = Gauge("spanloom_waiting", "1 while ClickHouse is out of reach and the worker waits for it.")
