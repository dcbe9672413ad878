"""How facts travel: as packed columns (`schemas.facts_pb2.SpanFacts`), one message for each partition and batch.

Facts leave the span table as columns and become one `Fact` a span only where the trace fold reads them. They are packed
here, once, and not by Kafka's client with each topic they come through: what the state keeps of a trace is the message
as it travelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from sys import intern
from typing import get_type_hints
from zlib import crc32

import pyarrow as pa

from spanloom.schemas.facts_pb2 import Labels, SpanColumns, SpanFacts, Texts
from spanloom.spans.folding.fact import FACT_COLUMNS, Fact, SpanLabels, SpanTexts, TraceKey
from spanloom.spans.folding.fact_columns import FactColumns, fact_columns, texts
from spanloom.spans.table import MAX_TIME, SPAN_TYPES, STATUSES

__all__ = [
    "MESSAGE_BYTES",
    "Fact",
    "SpanLabels",
    "SpanTexts",
    "TraceKey",
    "decode",
    "decode_one",
    "encode_groups",
    "encode_table",
    "encode_trace",
    "encode_traces",
    "facts_of",
    "partition_of",
    "traces_in",
]

MESSAGE_BYTES = 750_000
"""Where a message of facts is split, in bytes as estimated: well below Kafka's default limit of 1,048,588."""

MAX_UNPACKED = 1 << 24
"""Bytes of columns that are unpacked at most: ours take some MESSAGE_BYTES, or what the largest span does."""

_CODEC = pa.Codec("zstd", compression_level=1)

_LAST_READ = 8
"""Messages that stay unpacked for a while: traces that came together go on together."""

_TRACE_BYTES = 40
_SPAN_BYTES = 200  # what the numbers of one span take at most; texts come on top

_COLUMNS = tuple(name for name in Fact._fields if name not in ("labels", "inside"))
"""The fields that are columns of the message, under the same names; the others stand there for the spans that have
them."""

_TEXTS = tuple(name for name, kind in get_type_hints(Fact).items() if kind is str)

_INDEXED = frozenset(_TEXTS) - {"input_preview", "output_preview"}
"""Texts that repeat stand once in `texts`, and the column holds their indexes."""


def partition_of(key: TraceKey | tuple[str, bytes], partitions: int) -> int:
    """Return the partition of a trace or session in topics of `partitions` partitions.

    The whole key is hashed: time-ordered trace IDs share their first bytes.
    """
    return crc32(key[1], crc32(key[0].encode())) % partitions


def encode_table(table: pa.Table, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Turn a span table with a `version` column into messages, as pairs of partition and message.

    The spans of one trace stay in the order of the table and, but for very large traces, in one message.
    """
    keys = list(zip(texts(table, "project_id"), texts(table, "trace_id"), strict=True))
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, named in enumerate(keys):
        rows_of.setdefault(named, []).append(row)
    traces: list[tuple[int, TraceKey, list[int]]] = []
    for (project_id, trace_id), rows in rows_of.items():
        key = TraceKey(project_id, bytes.fromhex(trace_id))
        traces.append((partition_of(key, partitions), key, rows))
    traces.sort(key=lambda trace: trace[0])

    order = [row for _, _, rows in traces for row in rows]
    columns = fact_columns(table.select(FACT_COLUMNS).take(pa.array(order, pa.int64())))
    return _messages([(partition, key, len(rows)) for partition, key, rows in traces], columns)


def encode_traces(traces: Mapping[TraceKey, Sequence[Fact]]) -> bytes:
    """Turn facts of some traces into one message, however large."""
    columns = _columns([fact for facts in traces.values() for fact in facts])
    spans = [(key, len(facts)) for key, facts in traces.items()]
    return _encode(spans, columns, 0, sum(count for _, count in spans))


def encode_groups(traces: Mapping[TraceKey, Sequence[Fact]]) -> list[bytes]:
    """Turn facts of some traces into messages: as few as their size allows. A trace without facts is in none."""
    some = [(0, key, len(facts)) for key, facts in traces.items() if facts]
    if not some:
        return []
    columns = _columns([fact for facts in traces.values() for fact in facts])
    return [message for _, message in _messages(some, columns)]


def encode_trace(key: TraceKey, facts: Sequence[Fact]) -> list[bytes]:
    """Turn facts of one trace into messages: one, or more where it would become too large."""
    return encode_groups({key: facts})


def decode(message: bytes) -> list[tuple[TraceKey, list[Fact]]]:
    """Read a message of facts: each trace of it with its spans' facts.

    Raises:
        google.protobuf.message.DecodeError, ValueError, IndexError: these are not facts.
    """
    head = SpanFacts.FromString(message)
    columns = _unpack(head)
    lists: FactColumns = {name: getattr(columns, name)[:] for name in _COLUMNS}
    _check(head, lists)
    facts = _facts(columns, lists, 0)
    traces, start = [], 0
    for key, count in zip(_keys(head), head.trace_span_count, strict=True):
        traces.append((key, facts[start : start + count]))
        start += count
    return traces


def traces_in(message: bytes) -> list[tuple[TraceKey, int]]:
    """Return the traces of a message of facts, each with the latest start of its spans in nanoseconds; their facts stay
    packed.

    Raises:
        google.protobuf.message.DecodeError, ValueError: these are not facts.
    """
    head = SpanFacts.FromString(message)
    return list(zip(_keys(head), head.trace_latest_start, strict=True))


def decode_one(message: bytes, key: TraceKey) -> list[Fact]:
    """Read the facts of one trace in a message that `decode` reads; none if it is not in there.

    Several calls in a row unpack the same message once.
    """
    head, columns = _unpacked(message)
    start = 0
    for project_id, trace_id, count in zip(
        head.trace_project_id, head.trace_id, head.trace_span_count, strict=True
    ):
        if trace_id == key.trace_id and project_id == key.project_id:
            part = slice(start, start + count)
            return _facts(columns, {name: getattr(columns, name)[part] for name in _COLUMNS}, start)
        start += count
    return []


@lru_cache(_LAST_READ)
def _unpacked(message: bytes) -> tuple[SpanFacts, SpanColumns]:
    head = SpanFacts.FromString(message)
    return head, _unpack(head)


def _unpack(head: SpanFacts) -> SpanColumns:
    if head.columns_size > MAX_UNPACKED:
        raise ValueError("larger than any message of ours")
    try:
        unpacked = _CODEC.decompress(head.columns, head.columns_size, asbytes=True)
    except OSError:
        raise ValueError("not packed as ours are") from None
    return SpanColumns.FromString(unpacked)


def _keys(head: SpanFacts) -> list[TraceKey]:
    # A project stands in memory once, however many traces it has.
    return [
        TraceKey(intern(project_id), trace_id)
        for project_id, trace_id in zip(head.trace_project_id, head.trace_id, strict=True)
    ]


def _facts(columns: SpanColumns, lists: FactColumns, start: int) -> list[Fact]:
    """The facts of some spans; `lists` are their columns, indexes of texts among them, from the span `start` on."""
    known = columns.texts[:]
    for name in _INDEXED:
        lists[name] = [known[index] for index in lists[name]]
    facts = list(map(Fact, *lists.values()))
    for labels in columns.labels:
        if start <= labels.span < start + len(facts):
            facts[labels.span - start] = facts[labels.span - start]._replace(
                labels=SpanLabels(tuple(labels.tags), tuple(sorted(labels.metadata.items())))
            )
    for inside in columns.inside:
        if start <= inside.span < start + len(facts):
            facts[inside.span - start] = facts[inside.span - start]._replace(
                inside=SpanTexts(tuple(inside.input_texts), tuple(inside.output_texts))
            )
    return facts


def _check(head: SpanFacts, lists: FactColumns) -> None:
    """Raise ValueError for numbers that no span of ours has: a stranger may write to the topic."""
    if (
        max(lists["span_type"], default=0) >= len(SPAN_TYPES)
        or max(lists["status"], default=0) >= len(STATUSES)
        or min(lists["start_time"], default=0) < 0
        or max(lists["start_time"], default=0) > MAX_TIME
        or max(lists["duration"], default=0) > MAX_TIME
        or set(map(len, head.trace_id)) - {16}
        or 0 in head.trace_span_count[:]
        or {*map(len, lists.values())} != {sum(head.trace_span_count)}
        or len(head.trace_latest_start) != len(head.trace_id)
    ):
        raise ValueError("numbers out of range")


def facts_of(table: pa.Table) -> list[tuple[TraceKey, list[Fact]]]:
    """Return the facts of a table with FACT_COLUMNS, as ClickHouse gives them back."""
    return [trace for _, message in encode_table(table, 1) for trace in decode(message)]


def _columns(facts: Sequence[Fact]) -> FactColumns:
    return dict(zip(Fact._fields, map(list, zip(*facts, strict=True)), strict=True))


def _messages(
    traces: Sequence[tuple[int, TraceKey, int]], columns: FactColumns
) -> Iterator[tuple[int, bytes]]:
    """Messages of the next `count` spans of each trace, as pairs of partition and message; partitions come in order."""
    sizes = _sizes(columns)
    position = 0
    chunk: list[tuple[TraceKey, int]] = []
    chunk_start, chunk_bytes, chunk_partition = 0, 0, -1
    for partition, key, count in traces:
        for length in _split(sizes, position, count):
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


def _sizes(columns: FactColumns) -> list[int]:
    # Four bytes a character is the most UTF-8 takes; texts that are short anyway are in _SPAN_BYTES.
    texts_of = zip(*(columns[name] for name in _TEXTS), strict=True)
    sizes = [_SPAN_BYTES + 4 * len("".join(some)) for some in texts_of]
    for row, labels in enumerate(columns["labels"]):
        if labels is not None:
            sizes[row] += 4 * sum(map(len, labels.tags)) + 4 * sum(
                len(k) + len(v) for k, v in labels.metadata
            )
    for row, inside in enumerate(columns["inside"]):
        if inside is not None:
            sizes[row] += 4 * sum(map(len, inside.input_texts + inside.output_texts))
    return sizes


def _encode(traces: Sequence[tuple[TraceKey, int]], columns: FactColumns, start: int, end: int) -> bytes:
    known: dict[str, int] = {"": 0}
    message = SpanColumns()
    for name in _COLUMNS:
        values = columns[name][start:end]
        if name in _INDEXED:
            values = [known.setdefault(value, len(known)) for value in values]
        getattr(message, name).extend(values)
    message.texts.extend(known)
    for span, labels in enumerate(columns["labels"][start:end]):
        if labels is not None:
            message.labels.append(Labels(span=span, tags=labels.tags, metadata=dict(labels.metadata)))
    for span, inside in enumerate(columns["inside"][start:end]):
        if inside is not None:
            message.inside.append(
                Texts(span=span, input_texts=inside.input_texts, output_texts=inside.output_texts)
            )
    plain = message.SerializeToString()
    return SpanFacts(
        trace_project_id=[key.project_id for key, _ in traces],
        trace_id=[key.trace_id for key, _ in traces],
        trace_span_count=[count for _, count in traces],
        trace_latest_start=_latest_starts(traces, columns["start_time"], start),
        columns=_CODEC.compress(plain, asbytes=True),
        columns_size=len(plain),
    ).SerializeToString()


def _latest_starts(traces: Sequence[tuple[TraceKey, int]], starts: Sequence[int], at: int) -> Iterator[int]:
    for _, count in traces:
        yield max(starts[at : at + count])
        at += count
