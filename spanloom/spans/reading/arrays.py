"""Python's values as columns of the span table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.reading.span.row import EventRow
from spanloom.spans.table import MAX_TIME, SPAN_TABLE
from spanloom.spans.text.values import valid_text

_LAST_OFFSET = 2**31 - 1

Texts = Mapping[str, str]


def hexadecimal(ids: Sequence[bytes]) -> pa.Array:
    """IDs in lower-case hexadecimal, all in one go."""
    digits = b"".join(ids).hex().encode("ascii")
    offsets = np.zeros(len(ids) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, ids), np.int32, len(ids)) * 2, out=offsets[1:])
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))


def times(nanoseconds: Sequence[int]) -> npt.NDArray[np.int64]:
    """Times as sent (unsigned 64 bits), the latest that a row can hold at most."""
    return np.minimum(np.array(nanoseconds, np.uint64), np.uint64(MAX_TIME)).astype(np.int64)


def timestamps(nanoseconds: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(nanoseconds).cast(SPAN_TABLE.field("start_time").type)


def strings(texts: Iterable[str]) -> pa.Array:
    return array(texts if isinstance(texts, (list, tuple)) else list(texts), pa.string())


def array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
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


def offsets(items: Collection[Sized]) -> pa.Array:
    """Where the items of each list begin once all are joined; raises OverflowError where Arrow can't say."""
    ends = np.zeros(len(items) + 1, np.int64)
    if not any(items):
        return pa.array(ends.astype(np.int32))
    np.cumsum(np.fromiter(map(len, items), np.int64, len(items)), out=ends[1:])
    if ends[-1] > _LAST_OFFSET:
        raise OverflowError(f"{ends[-1]} items are too many for one column.")
    return pa.array(ends.astype(np.int32))


def lists(items: Sequence[Sequence[str]]) -> pa.Array:
    return pa.ListArray.from_arrays(offsets(items), strings(chain.from_iterable(items)))


def maps(items: Sequence[Texts]) -> pa.Array:
    return map_array(
        offsets(items),
        list(chain.from_iterable(items)),
        list(chain.from_iterable(texts.values() for texts in items)),
    )


def map_array(ends: pa.Array, keys: list[str], texts: list[str]) -> pa.Array:
    return pa.MapArray.from_arrays(ends, strings(keys), strings(texts))


def events_column(rows: Sequence[Sequence[EventRow]]) -> pa.Array:
    events = list(chain.from_iterable(rows))
    type_ = SPAN_TABLE.field("events").type
    struct = type_.value_type
    values = pa.StructArray.from_arrays(
        [
            strings(event.name for event in events),
            timestamps(times([event.time for event in events])),
            maps([event.attributes for event in events]),
        ],
        fields=[struct.field(i) for i in range(struct.num_fields)],
    )
    return pa.ListArray.from_arrays(offsets(rows), values, type=type_)
