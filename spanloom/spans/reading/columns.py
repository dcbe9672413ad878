"""Rows laid out as the columns of the span table, one column at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from itertools import chain
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.reading.row import EventRow, Preview, SpanRow
from spanloom.spans.table import COST_COLUMNS, MAX_TIME, PICODOLLARS, SPAN_TABLE
from spanloom.spans.text.values import valid_text

_LAST_OFFSET = 2**31 - 1

Texts = Mapping[str, str]

Head = tuple[bytes, bytes, bytes, int, int, int]
"""IDs of trace, span and parent; start and end in nanoseconds; index of the resource."""


class ResourceRow:
    """What all spans of a resource have in common."""

    __slots__ = ("attributes", "environment", "project_id", "release", "service_name")

    def __init__(
        self, project_id: str, service_name: str, environment: str, release: str, attributes: Texts
    ) -> None:
        self.project_id = project_id
        self.service_name = service_name
        self.environment = environment
        self.release = release
        self.attributes = attributes


class Columns:
    """Collects spans, then makes a span table of them."""

    def __init__(self) -> None:
        self.rows: list[SpanRow] = []
        self.heads: list[Head] = []
        self.asked: list[Preview] = []
        self.answered: list[Preview] = []
        """Of all these there are as many as rows."""
        self.resources: list[ResourceRow] = []

    def table(self) -> pa.Table:
        """The span table; its rows are in the order in which spans were added."""
        if not self.rows:
            return SPAN_TABLE.empty_table()
        columns = dict(zip(SpanRow._fields, zip(*self.rows, strict=True), strict=True))
        trace_ids, span_ids, parent_ids, starts, ends, resources = zip(*self.heads, strict=True)
        resource = pa.array(np.array(resources, np.int32))
        start = times(starts)
        arrays: dict[str, pa.Array] = {
            "project_id": strings(r.project_id for r in self.resources).take(resource),
            "service_name": strings(r.service_name for r in self.resources).take(resource),
            "resource": maps([r.attributes for r in self.resources]).take(resource),
            "trace_id": hexadecimal(trace_ids),
            "span_id": hexadecimal(span_ids),
            "parent_span_id": hexadecimal(parent_ids),
            "start_time": _timestamps(start),
            "end_time": _timestamps(np.maximum(times(ends), start)),
            "tags": lists(columns["tags"]),
            "metadata": maps(columns["metadata"]),
            "attributes": _map_array(
                _offsets(columns["attribute_keys"]),
                list(chain.from_iterable(columns["attribute_keys"])),
                list(chain.from_iterable(columns["attribute_texts"])),
            ),
            "events": events_column(columns["events"]),
            **self._previews(columns["marks"]),
        }
        for name in ("environment", "release"):
            # What the span says goes before what its resource does.
            of_resources = [getattr(each, name) for each in self.resources]
            if any(columns[name]):
                arrays[name] = strings(
                    [own or of_resources[at] for own, at in zip(columns[name], resources, strict=True)]
                )
            else:
                arrays[name] = strings(of_resources).take(resource)
        for name in COST_COLUMNS:
            arrays[name] = pa.array(np.array(columns[name], np.float64) / PICODOLLARS)
        for field in SPAN_TABLE:
            if field.name not in arrays:
                arrays[field.name] = _array(columns[field.name], field.type)
        return pa.Table.from_arrays([arrays[field.name] for field in SPAN_TABLE], schema=SPAN_TABLE)

    def _previews(self, marks: Iterable[int]) -> dict[str, pa.Array]:
        asked, asked_others, asked_marks, asked_rests = zip(*self.asked, strict=True)
        answered, answered_others, answered_marks, answered_rests = zip(*self.answered, strict=True)
        rests: Sequence[str] = asked_rests
        if any(answered_rests):
            rests = [
                f"{one}\0{other}" if one and other else one or other
                for one, other in zip(asked_rests, answered_rests, strict=True)
            ]
        return {
            "input_preview": valid_texts(asked),
            "output_preview": valid_texts(answered),
            "input_texts": lists(asked_others),
            "output_texts": lists(answered_others),
            "said_rest": strings(rests),
            "marks": pa.array(
                list(map(or_, map(or_, marks, asked_marks), answered_marks)), SPAN_TABLE.field("marks").type
            ),
        }


def hexadecimal(ids: Sequence[bytes]) -> pa.Array:
    """IDs in lower-case hexadecimal, all in one go."""
    digits = b"".join(ids).hex().encode("ascii")
    offsets = np.zeros(len(ids) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, ids), np.int32, len(ids)) * 2, out=offsets[1:])
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))


def times(nanoseconds: Sequence[int]) -> npt.NDArray[np.int64]:
    """Times as sent (unsigned 64 bits), the latest that a row can hold at most."""
    return np.minimum(np.array(nanoseconds, np.uint64), np.uint64(MAX_TIME)).astype(np.int64)


def _timestamps(nanoseconds: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(nanoseconds).cast(SPAN_TABLE.field("start_time").type)


def strings(texts: Iterable[str]) -> pa.Array:
    return _array(texts if isinstance(texts, (list, tuple)) else list(texts), pa.string())


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    if values and not any(values):
        # Many columns are empty in most batches.
        return pa.repeat(pa.scalar(values[0], type_), len(values))
    return pa.array(values, type_)


def valid_texts(texts: Sequence[str]) -> pa.Array:
    """Texts out of chat messages: JSON can spell lone surrogates, which UTF-8 can't. They are so rare that all
    texts are tried at once."""
    try:
        return strings(texts)
    except UnicodeEncodeError:
        return strings(map(valid_text, texts))


def _offsets(items: Collection[Sized]) -> pa.Array:
    """Where the items of each list begin once all are joined; raises OverflowError where Arrow can't say."""
    ends = np.zeros(len(items) + 1, np.int64)
    if not any(items):
        return pa.array(ends.astype(np.int32))
    np.cumsum(np.fromiter(map(len, items), np.int64, len(items)), out=ends[1:])
    if ends[-1] > _LAST_OFFSET:
        raise OverflowError(f"{ends[-1]} items are too many for one column.")
    return pa.array(ends.astype(np.int32))


def lists(lists: Sequence[Sequence[str]]) -> pa.Array:
    return pa.ListArray.from_arrays(_offsets(lists), strings(chain.from_iterable(lists)))


def maps(maps: Sequence[Texts]) -> pa.Array:
    return _map_array(
        _offsets(maps),
        list(chain.from_iterable(maps)),
        list(chain.from_iterable(texts.values() for texts in maps)),
    )


def _map_array(offsets: pa.Array, keys: list[str], texts: list[str]) -> pa.Array:
    return pa.MapArray.from_arrays(offsets, strings(keys), strings(texts))


def events_column(rows: Sequence[Sequence[EventRow]]) -> pa.Array:
    events = list(chain.from_iterable(rows))
    type_ = SPAN_TABLE.field("events").type
    struct = type_.value_type
    values = pa.StructArray.from_arrays(
        [
            strings(event.name for event in events),
            _timestamps(times([event.time for event in events])),
            maps([event.attributes for event in events]),
        ],
        fields=[struct.field(i) for i in range(struct.num_fields)],
    )
    return pa.ListArray.from_arrays(_offsets(rows), values, type=type_)
