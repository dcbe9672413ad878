"""Rows as OTLP messages: stored spans on their way to be read again.

Reading works on texts alone, and a row has the texts of all attributes, so each goes as a string, whatever type it once
had. The types are gone, and so is what nobody reads: kind, links, trace state, dropped counts.

Which spans of a record tell what their trace was asked depends on the others of the record (`reading.witnesses`), so
they stay together. Two records of one millisecond and offset, from two partitions, count as one: spans that lie inside
others then carry no previews, which their trace does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from spanloom.schemas import otlp_pb2
from spanloom.spans.limits import ASSUMED, TRUNCATED
from spanloom.spans.table import COST_COLUMNS, NO_START, PICODOLLARS, SPAN_TABLE, STATUSES, USAGE_ADDS_UP

STORED_SPANS = SPAN_TABLE.append(pa.field("version", pa.uint64(), False))
"""Whole rows as ClickHouse gives them back."""

MESSAGE_BYTES = 800_000
"""Where a message ends, in bytes: below Kafka's default limit of 1,048,588. A larger span has one of its own."""

STATUS_CODES = {"unset": 0, "ok": 1, "error": 2}
"""OTLP's number of each status."""
assert set(STATUS_CODES) == set(STATUSES)

_WHERE_CUT = tuple(
    name
    for name in otlp_pb2.StoredColumns.DESCRIPTOR.fields_by_name
    if name not in ("cut", "adds_up", "resource_cut", "service_name")
)
"""The columns that go along with a span of which something was cut."""

_NANOSECONDS = pa.int64()


class StoredMessage(NamedTuple):
    """Spans of one project for one partition."""

    project_id: str
    partition: int
    value: bytes
    """An ExportTraceServiceRequest whose spans hold a StoredSpan."""
    spans: int


def messages(
    rows: pa.Table,
    partition: Callable[[str, str], int],
    origin: Callable[[int], tuple[int, int]],
) -> Iterator[StoredMessage]:
    """Turn rows into messages.

    Args:
        rows: whole rows as STORED_SPANS, trace by trace.
        partition: the partition for a project and trace ID (32 hexadecimal digits).
        origin: what a version says of the record that its row was made of: something that names the record, and when
            it was written, milliseconds since the epoch.
    """
    open_: dict[tuple[str, int], _Open] = {}
    for row in plain_rows(rows):
        project_id: str = row["project_id"]
        at = project_id, partition(project_id, row["trace_id"])
        record, written = origin(row["version"])
        span = span_of(row, record, written)
        size = span.ByteSize() + sum(len(key) + len(text.encode()) for key, text in row["resource"])
        message = open_.get(at)
        if message is not None and message.bytes + size > MESSAGE_BYTES:
            yield StoredMessage(*at, message.value(), message.spans)
            message = None
        if message is None:
            message = open_[at] = _Open()
        message.add((row["trace_id"], record), row, span, size)
    for at, message in open_.items():
        yield StoredMessage(*at, message.value(), message.spans)


class _Open:
    """A message that grows."""

    def __init__(self) -> None:
        self.bytes = 0
        self.spans = 0
        self._request = otlp_pb2.ExportTraceServiceRequest()
        self._last: object = None

    def value(self) -> bytes:
        return self._request.SerializeToString()

    def add(self, record: object, row: Mapping[str, Any], span: otlp_pb2.Span, size: int) -> None:
        """Add a span beside the one before, where record, resource and scope are the same."""
        place = record, row["resource"], _of_cut_resource(row), row["scope"]
        if place != self._last:
            self._last = place
            resource_spans = self._request.resource_spans.add()
            resource_spans.resource.attributes.extend(map(key_value, row["resource"]))
            scope = otlp_pb2.InstrumentationScope(name=row["scope"].encode())
            resource_spans.scope_spans.add(scope=scope.SerializeToString())
        self._request.resource_spans[-1].scope_spans[-1].spans.append(span)
        self.bytes += size
        self.spans += 1


def span_of(row: Mapping[str, Any], record: int, written: int) -> otlp_pb2.Span:
    """A span that is read as the row, with what of it can't be read again.

    Args:
        row: a row of STORED_SPANS; times are nanoseconds, maps are lists of pairs.
        record: names the record behind the row.
        written: when that was written, milliseconds since the epoch.
    """
    attributes = dict(row["attributes"])
    cut = attributes.get(TRUNCATED, "")
    if cut:
        del attributes[TRUNCATED]
    without_start = bool(row["marks"] & NO_START)
    if without_start:
        attributes.pop(ASSUMED, None)
    columns = otlp_pb2.StoredColumns(cut=cut, adds_up=bool(row["marks"] & USAGE_ADDS_UP))
    if cut:
        for name in _WHERE_CUT:
            _set(columns, name, row)
    if of_resource := _of_cut_resource(row):
        columns.resource_cut = True
        columns.service_name, columns.environment, columns.release = of_resource
    stored = otlp_pb2.StoredSpan(version=row["version"], columns=columns, record=record, written=written)
    span = plain_span(row, attributes.items(), without_start)
    span.stored = stored.SerializeToString()
    return span


def plain_span(
    row: Mapping[str, Any], attributes: Iterable[tuple[str, str]], without_start: bool
) -> otlp_pb2.Span:
    """A span as OTLP has it: what its row has of it, with these attributes.

    Args:
        row: as of `span_of`.
        without_start: whether it came without a start, and goes so.
    """
    return otlp_pb2.Span(
        trace_id=bytes.fromhex(row["trace_id"]),
        span_id=bytes.fromhex(row["span_id"]),
        parent_span_id=bytes.fromhex(row["parent_span_id"]),
        name=row["name"].encode(),
        start_time_unix_nano=0 if without_start else row["start_time"],
        end_time_unix_nano=row["end_time"],
        attributes=map(key_value, attributes),
        events=[
            otlp_pb2.Event(
                time_unix_nano=event["time"],
                name=event["name"].encode(),
                attributes=map(key_value, event["attributes"]),
            )
            for event in row["events"]
        ],
        status=otlp_pb2.Status(
            code=STATUS_CODES[row["status"]],
            message=row["status_message"].encode(),
        ),
    )


def _of_cut_resource(row: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """What the row has of its resource, where that was cut."""
    if not any(key == TRUNCATED for key, _ in row["resource"]):
        return None
    return row["service_name"], row["environment"], row["release"]


def _set(columns: otlp_pb2.StoredColumns, name: str, row: Mapping[str, Any]) -> None:
    value = row[name]
    if name in COST_COLUMNS:
        setattr(columns, name, round(value * PICODOLLARS))
    elif name == "metadata":
        columns.metadata.update(dict(value))
    elif isinstance(value, list):
        getattr(columns, name).extend(value)
    else:
        setattr(columns, name, value)


def key_value(pair: tuple[str, str]) -> bytes:
    """An attribute that is a text, as a `KeyValue`."""
    value = otlp_pb2.AnyValue(string_value=pair[1].encode())
    return otlp_pb2.KeyValue(key=pair[0].encode(), value=value.SerializeToString()).SerializeToString()


def plain_rows(rows: pa.Table) -> Iterable[dict[str, Any]]:
    """Rows with times as nanoseconds and maps as lists of pairs."""
    schema = pa.schema([pa.field(field.name, _as_number(field.type)) for field in rows.schema])
    plain: list[dict[str, Any]] = rows.cast(schema).to_pylist()
    return plain


def _as_number(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(type_):
        return _NANOSECONDS
    if pa.types.is_list(type_):
        return pa.list_(_as_number(type_.value_type))
    if pa.types.is_struct(type_):
        fields = (type_.field(at) for at in range(type_.num_fields))
        return pa.struct([pa.field(field.name, _as_number(field.type)) for field in fields])
    return type_
