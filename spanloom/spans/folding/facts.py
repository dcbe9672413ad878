"""A span's facts: the few numbers and short texts that aggregates need, and how they travel.

Facts leave the span table as columns, travel as columns (`schemas.facts_pb2.SpanFacts`, one message for each
partition and batch) and become one `Fact` a span only where the trace fold reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spanloom.schemas.facts_pb2 import Labels, SpanFacts
from spanloom.spans.table import FACT_COLUMNS, MAX_TIME, PICODOLLARS, SPAN_TYPES, STATUSES

MESSAGE_BYTES = 750_000
"""Where a message of facts is split, in bytes as estimated: well below Kafka's default limit of 1,048,588."""

_TRACE_BYTES = 32
_SPAN_BYTES = 200  # what the numbers of one span take at the most; texts come on top
_SPAN_TYPE = {name: position for position, name in enumerate(SPAN_TYPES)}
_STATUS = {name: position for position, name in enumerate(STATUSES)}


class TraceKey(NamedTuple):
    """What names a trace everywhere: the project and the 16 bytes of the trace ID."""

    project_id: str
    trace_id: bytes


class SpanLabels(NamedTuple):
    """Tags, and metadata as sorted pairs, of one span."""

    tags: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]


class Fact(NamedTuple):
    """What the trace fold knows of one span.

    Times are nanoseconds, costs picodollars, IDs the big-endian value of their 8 bytes; `span_type` and
    `status` are positions in `spanloom.spans.table.SPAN_TYPES` and `STATUSES`.
    """

    span_id: int
    parent_span_id: int
    name: str
    service_name: str
    span_type: int
    status: int
    start_time: int
    duration: int
    session_id: str
    session_rank: int
    user_id: str
    user_rank: int
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    input_cost: int
    output_cost: int
    total_cost: int
    priced: bool
    input_preview: str
    output_preview: str
    preview_kind: int
    version: int
    labels: SpanLabels | None = None


_TEXTS = frozenset({"name", "service_name", "session_id", "user_id", "model"})
_COLUMNS = tuple(name for name in Fact._fields if name != "labels")


def partition_of(key: TraceKey | tuple[str, bytes], partitions: int) -> int:
    """Return the partition of a trace or session in topics of `partitions` partitions.

    The whole key is hashed: time-ordered trace IDs share their first bytes.
    """
    return crc32(key[1], crc32(key[0].encode())) % partitions


def encode_table(table: pa.Table, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Turn a span table with a `version` column into messages, as pairs of partition and message.

    The spans of one trace stay in the order of the table and, but for very large traces, in one message.
    """
    keys = list(zip(_texts(table, "project_id"), _texts(table, "trace_id"), strict=True))
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, named in enumerate(keys):
        rows_of.setdefault(named, []).append(row)
    traces: list[tuple[int, TraceKey, list[int]]] = []
    for (project_id, trace_id), rows in rows_of.items():
        key = TraceKey(project_id, bytes.fromhex(trace_id))
        traces.append((partition_of(key, partitions), key, rows))
    traces.sort(key=lambda trace: trace[0])

    order = [row for _, _, rows in traces for row in rows]
    columns = _fact_columns(table.select([*FACT_COLUMNS, "version"]).take(pa.array(order, pa.int64())))
    sizes = _sizes(columns)
    position = 0
    chunk: list[tuple[TraceKey, int]] = []
    chunk_start, chunk_bytes, chunk_partition = 0, 0, -1
    for partition, key, rows in traces:
        for length in _split(sizes, position, len(rows)):
            size = _TRACE_BYTES + 4 * len(key.project_id) + sum(sizes[position : position + length])
            if chunk and (partition != chunk_partition or chunk_bytes + size > MESSAGE_BYTES):
                yield chunk_partition, _encode(chunk, columns, chunk_start, position)
                chunk, chunk_start, chunk_bytes = [], position, 0
            chunk_partition = partition
            chunk.append((key, length))
            chunk_bytes += size
            position += length
    if chunk:
        yield chunk_partition, _encode(chunk, columns, chunk_start, position)


def encode_traces(traces: Mapping[TraceKey, Sequence[Fact]]) -> bytes:
    """Turn facts of some traces into one message, however large."""
    columns: dict[str, list] = dict(  # type: ignore[type-arg]
        zip(
            Fact._fields,
            map(list, zip(*(fact for facts in traces.values() for fact in facts), strict=True)),
            strict=True,
        )
    )
    spans = [(key, len(facts)) for key, facts in traces.items()]
    return _encode(spans, columns, 0, sum(count for _, count in spans))


def encode_trace(key: TraceKey, facts: Sequence[Fact]) -> list[bytes]:
    """Turn facts of one trace into messages: one, or more where it would become too large."""
    columns: dict[str, list] = dict(zip(Fact._fields, map(list, zip(*facts, strict=True)), strict=True))  # type: ignore[type-arg]
    sizes = _sizes(columns)
    messages, position = [], 0
    for length in _split(sizes, 0, len(facts)):
        messages.append(_encode([(key, length)], columns, position, position + length))
        position += length
    return messages


def decode(message: bytes) -> list[tuple[TraceKey, list[Fact]]]:
    """Read a message of facts: each trace of it with its spans' facts.

    Raises:
        google.protobuf.message.DecodeError, ValueError, IndexError: these are not facts.
    """
    columns = SpanFacts.FromString(message)
    lists: dict[str, list] = {name: getattr(columns, name)[:] for name in _COLUMNS}  # type: ignore[type-arg]
    _check(columns, lists)
    texts = columns.texts[:]
    for name in _TEXTS:
        lists[name] = [texts[index] for index in lists[name]]
    facts = list(map(Fact, *lists.values()))
    for labels in columns.labels:
        facts[labels.span] = facts[labels.span]._replace(
            labels=SpanLabels(tuple(labels.tags), tuple(sorted(labels.metadata.items())))
        )
    traces, start = [], 0
    for project_id, trace_id, count in zip(
        columns.trace_project_id, columns.trace_id, columns.trace_span_count, strict=True
    ):
        traces.append((TraceKey(project_id, trace_id), facts[start : start + count]))
        start += count
    return traces


def _check(columns: SpanFacts, lists: dict[str, list]) -> None:  # type: ignore[type-arg]
    """Raise ValueError for numbers that no span of ours has: a stranger may write to the topic."""
    if (
        max(lists["span_type"], default=0) >= len(SPAN_TYPES)
        or max(lists["status"], default=0) >= len(STATUSES)
        or min(lists["start_time"], default=0) < 0
        or max(lists["start_time"], default=0) > MAX_TIME
        or max(lists["duration"], default=0) > MAX_TIME
        or set(map(len, columns.trace_id)) - {16}
        or 0 in columns.trace_span_count[:]
        or {*map(len, lists.values())} != {sum(columns.trace_span_count)}
    ):
        raise ValueError("numbers out of range")


def facts_of(table: pa.Table) -> list[tuple[TraceKey, list[Fact]]]:
    """Return the facts of a table with FACT_COLUMNS and `version`, as ClickHouse gives them back."""
    return [trace for _, message in encode_table(table, 1) for trace in decode(message)]


def _split(sizes: list[int], start: int, count: int) -> Iterator[int]:
    """Cut `count` spans into runs that fit a message."""
    run = run_bytes = 0
    for size in sizes[start : start + count]:
        if run and run_bytes + size > MESSAGE_BYTES:
            yield run
            run = run_bytes = 0
        run += 1
        run_bytes += size
    yield run


def _sizes(columns: dict[str, list]) -> list[int]:  # type: ignore[type-arg]
    # Four bytes a character is the most UTF-8 takes; texts that are short anyway are in _SPAN_BYTES.
    sizes = [
        _SPAN_BYTES + 4 * (len(a) + len(b) + len(c) + len(d) + len(e) + len(f) + len(g))
        for a, b, c, d, e, f, g in zip(
            columns["input_preview"],
            columns["output_preview"],
            columns["name"],
            columns["session_id"],
            columns["user_id"],
            columns["model"],
            columns["service_name"],
            strict=True,
        )
    ]
    for row, labels in enumerate(columns["labels"]):
        if labels is not None:
            sizes[row] += 4 * sum(map(len, labels.tags)) + 4 * sum(
                len(k) + len(v) for k, v in labels.metadata
            )
    return sizes


def _encode(traces: Sequence[tuple[TraceKey, int]], columns: dict[str, list], start: int, end: int) -> bytes:  # type: ignore[type-arg]
    texts: dict[str, int] = {"": 0}
    message = SpanFacts(
        trace_project_id=[key.project_id for key, _ in traces],
        trace_id=[key.trace_id for key, _ in traces],
        trace_span_count=[count for _, count in traces],
    )
    for name in _COLUMNS:
        values = columns[name][start:end]
        if name in _TEXTS:
            values = [texts.setdefault(value, len(texts)) for value in values]
        getattr(message, name).extend(values)
    message.texts.extend(texts)
    for span, labels in enumerate(columns["labels"][start:end]):
        if labels is not None:
            message.labels.append(Labels(span=span, tags=labels.tags, metadata=dict(labels.metadata)))
    return message.SerializeToString()


def _fact_columns(table: pa.Table) -> dict[str, list]:  # type: ignore[type-arg]
    start = table["start_time"].cast(pa.int64()).to_numpy()
    columns: dict[str, list] = {  # type: ignore[type-arg]
        "span_id": [int(text, 16) for text in _texts(table, "span_id")],
        "parent_span_id": [int(text, 16) if text else 0 for text in _texts(table, "parent_span_id")],
        "span_type": [_SPAN_TYPE[text] for text in _texts(table, "span_type")],
        "status": [_STATUS[text] for text in _texts(table, "status")],
        "start_time": start.tolist(),
        "duration": (table["end_time"].cast(pa.int64()).to_numpy() - start).tolist(),
        "priced": table["priced"].cast(pa.bool_()).to_pylist(),
        "labels": _labels(table),
    }
    for name in _COLUMNS:
        if name in columns:
            continue
        if name.endswith("_cost"):
            # Rounding makes whole picodollars of the nearest float: exact up to 2,251 USD a span.
            columns[name] = (
                pc.round(pc.multiply(table[name], float(PICODOLLARS))).cast(pa.int64()).to_numpy().tolist()
            )
        elif pa.types.is_integer(table[name].type):
            columns[name] = table[name].to_numpy().tolist()
        else:
            columns[name] = _texts(table, name)
    return columns


def _labels(table: pa.Table) -> list[SpanLabels | None]:
    labels: list[SpanLabels | None] = [None] * len(table)
    has_any = (_lengths(table, "tags") > 0) | (_lengths(table, "metadata") > 0)
    rows = np.flatnonzero(has_any)
    if len(rows):
        tags = table["tags"].take(rows).to_pylist()
        metadata = table["metadata"].take(rows).to_pylist()
        for row, some_tags, some_metadata in zip(rows.tolist(), tags, metadata, strict=True):
            labels[row] = SpanLabels(tuple(some_tags), tuple(sorted(dict(some_metadata).items())))
    return labels


def _lengths(table: pa.Table, name: str) -> npt.NDArray[np.int32]:
    """The lengths of a column of lists or maps (Arrow's own function takes no maps)."""
    column = table[name].combine_chunks()
    lengths: npt.NDArray[np.int32] = np.diff(column.offsets.to_numpy())
    return lengths


def _texts(table: pa.Table, name: str) -> list[str]:
    texts: list[str] = table[name].to_numpy(zero_copy_only=False).tolist()
    return texts
