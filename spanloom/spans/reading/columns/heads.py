"""What stands in the head of spans: IDs, times, names, status."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spanloom.spans.reading.span.times import EARLIEST
from spanloom.spans.table import MAX_TIME

_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)
_MILLISECOND = 1_000_000
_DAY = 86_400 * 1_000_000_000

Mask = npt.NDArray[np.bool_]
Times = npt.NDArray[np.uint64]


class SpanIds(NamedTuple):
    """IDs of spans; a parent of zeros is none."""

    trace: pa.BinaryArray
    span: pa.BinaryArray
    parent: pa.BinaryArray


def span_ids(spans: pa.StructArray) -> SpanIds:
    """Return the IDs of spans as they were sent."""
    parent = binary(spans, "parent_span_id")
    if pc.any(pc.equal(parent, _NO_SPAN)).as_py():
        parent = pc.if_else(pc.equal(parent, _NO_SPAN), b"", parent)
    return SpanIds(binary(spans, "trace_id"), binary(spans, "span_id"), parent)


def bad_ids(ids: SpanIds) -> tuple[Mask, Mask, Mask]:
    """Return which spans have no valid trace ID, no valid span ID, and a parent's ID that is none."""
    lengths = [mask(pc.binary_length(each)) for each in ids]
    no_trace = (lengths[0] != len(_NO_TRACE)) | mask(pc.equal(ids.trace, _NO_TRACE))
    no_span = (lengths[1] != len(_NO_SPAN)) | mask(pc.equal(ids.span, _NO_SPAN))
    return no_trace, no_span, (lengths[2] != 0) & (lengths[2] != len(_NO_SPAN))


def binary(spans: pa.StructArray, name: str) -> pa.BinaryArray:
    """Return a field of bytes, empty where it is missing."""
    return spans.field(name).fill_null(b"")


def mask(array: pa.Array) -> npt.NDArray[Any]:
    """Return an array without nulls as one of numpy."""
    found: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return found


class TimesOfSpans(NamedTuple):
    """The times of spans, nanoseconds since the epoch, as `spanloom.spans.reading.span.times` has them of one."""

    start: Times
    end: Times
    priced_at: Times
    assumed: Mask


def times_of_spans(spans: pa.StructArray, written: Times) -> TimesOfSpans:
    """Return the times of spans.

    Args:
        spans: as they were sent.
        written: when the record of each was written, nanoseconds since the epoch; 0 where nobody knows.
    """
    start, end = (mask(spans.field(f"{name}_time_unix_nano").fill_null(0)) for name in ("start", "end"))
    assumed = start < EARLIEST
    if assumed.any():
        known = np.where(written > 0, written, start)
        start = np.where(assumed, np.where(end >= EARLIEST, end, known), start)
    # Compared so that nothing overflows, whatever was sent.
    ahead = (written > 0) & (start > written) & (start - written > _DAY)
    return TimesOfSpans(start, np.maximum(start, end), np.where(ahead, written, start), assumed)


def storable(times: Times) -> npt.NDArray[np.int64]:
    """Return times as rows can hold them."""
    return np.minimum(times, np.uint64(MAX_TIME)).astype(np.int64)


def hexadecimal(ids: pa.BinaryArray) -> pa.StringArray:
    """Return IDs in lower-case hexadecimal."""
    offsets = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1]
    data = ids.buffers()[2]
    digits = b"" if data is None else bytes(memoryview(data)[offsets[0] : offsets[-1]]).hex().encode("ascii")
    ends = ((offsets - offsets[0]) * 2).astype(np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(ends), pa.py_buffer(digits))


def valid_strings(raws: pa.BinaryArray) -> pa.StringArray:
    """Return bytes as text; what is no UTF-8 becomes U+FFFD."""
    try:
        return raws.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([raw.decode("utf-8", "replace") for raw in raws.to_pylist()], pa.string())


def shortened(texts: pa.StringArray, longest: int) -> pa.StringArray:
    """Return texts, each cut to so many characters."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= longest:
        return texts
    return pc.utf8_slice_codeunits(texts, 0, longest)
