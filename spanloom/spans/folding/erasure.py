"""Erasures: which traces are forgotten, and up to which version of their spans.

They travel among the facts of spans, in the same topic and partition as those of their traces, so that every worker
meets both in one order. What is forgotten does not depend on it: a span is, whose row has the version of the erasure or
a lower one, whenever its facts come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from spanloom.schemas.facts_pb2 import Erasure, SpanFacts
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.fact import Fact, TraceKey
from spanloom.spans.table import SPAN_TABLE

TRACES_A_RECORD = 100
"""Traces that one message forgets at most: a worker reads some dozens of messages at once, with all spans of theirs."""

_TIME_SHIFT = 22
"""A version is a record's timestamp (ms) shifted so far, and behind it what tells those of one millisecond apart."""

_TAG = bytes([SpanFacts.ERASURE_FIELD_NUMBER << 3 | 2])
"""How a message begins that holds an erasure and nothing before it."""


class Erased(NamedTuple):
    """What an erasure says of a trace: spans whose row has this version or a lower one are forgotten."""

    version: int


class ForgottenSpan(NamedTuple):
    """A span that was forgotten; `start_time` in nanoseconds, `version` that of its erasure."""

    key: TraceKey
    span_id: int
    start_time: int
    version: int


FORGOTTEN_TABLE = pa.schema(
    [
        *(SPAN_TABLE.field(name) for name in ("project_id", "trace_id", "span_id", "start_time")),
        pa.field("version", pa.uint64(), False),
        pa.field("is_deleted", pa.uint8(), False),
    ]
)
"""The columns of `spans_versions` that a forgotten span has: no text of it but IDs."""


def erased_up_to(time: int) -> int:
    """Return the version of an erasure that forgets all spans whose records are dated up to a time, in milliseconds."""
    return (time + 1 << _TIME_SHIFT) - 1


def time_of(version: int) -> int:
    """Return the time of the record that a version tells of, milliseconds since the epoch."""
    return version >> _TIME_SHIFT


def encode(keys: Iterable[TraceKey], version: int) -> Iterator[bytes]:
    """Turn traces of one project into messages that forget their spans up to a version."""
    left = iter(keys)
    while some := list(islice(left, TRACES_A_RECORD)):
        erasure = Erasure(
            project_id=some[0].project_id, trace_id=[key.trace_id for key in some], version=version
        )
        yield SpanFacts(erasure=erasure).SerializeToString()


def is_erasure(message: bytes) -> bool:
    """Whether a message of the topic of span facts holds an erasure."""
    return message.startswith(_TAG)


def decode(message: bytes) -> list[tuple[TraceKey, Erased]]:
    """Read an erasure.

    Raises:
        google.protobuf.message.DecodeError, ValueError: it is none.
    """
    erasure = SpanFacts.FromString(message).erasure
    if set(map(len, erasure.trace_id)) - {16}:
        raise ValueError("numbers out of range")
    erased = Erased(erasure.version)
    return [(TraceKey(erasure.project_id, trace_id), erased) for trace_id in erasure.trace_id]


def decode_either(message: bytes) -> Sequence[tuple[TraceKey, Sequence[Fact] | Erased]]:
    """Read a message of the topic of span facts: facts, or an erasure.

    Raises:
        google.protobuf.message.DecodeError, ValueError, IndexError: it is neither.
    """
    return decode(message) if is_erasure(message) else facts_codec.decode(message)


def traces_in(message: bytes) -> list[tuple[TraceKey, int]]:
    """Return the traces of a message of facts or of an erasure, each with the latest start (ns) of its spans there: 0
    in an erasure.

    Raises:
        google.protobuf.message.DecodeError, ValueError: it is neither.
    """
    if is_erasure(message):
        return [(key, 0) for key, _ in decode(message)]
    return facts_codec.traces_in(message)


def forgotten_table(spans: Sequence[ForgottenSpan]) -> pa.Table:
    """Return the rows that take spans away, as a table with the schema FORGOTTEN_TABLE."""
    columns = [
        [span.key.project_id for span in spans],
        [span.key.trace_id.hex() for span in spans],
        [f"{span.span_id:016x}" for span in spans],
        [span.start_time for span in spans],
        [span.version for span in spans],
        [1] * len(spans),
    ]
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, FORGOTTEN_TABLE, strict=True)],
        FORGOTTEN_TABLE,
    )
