"""OTLP messages to the span table.

Whatever the bytes are, `decode` raises nothing: what can't be read comes back as a `Reject`, and harms
nothing around it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from google.protobuf.message import DecodeError

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.families import Scope
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.columns import Columns
from spanloom.spans.reading.notes import SpanNotes
from spanloom.spans.reading.resource import DEFAULT_PROJECT, resource_row
from spanloom.spans.reading.row import Preview, SpanRow
from spanloom.spans.reading.span import SpanReader
from spanloom.spans.reading.stored.kept import StoredSpanReader
from spanloom.spans.reading.times import SpanTimes, span_times
from spanloom.spans.reading.wire.rejects import BadSpans, Reject
from spanloom.spans.reading.wire.request import read_request
from spanloom.spans.reading.witnesses import bear_witness

__all__ = ["DEFAULT_PROJECT", "Decoded", "OtlpMessage", "Reject", "decode"]

_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)
_NOT_STORED = otlp_pb2.StoredSpan()


@dataclass(frozen=True, slots=True)
class OtlpMessage:
    """One record of `otlp_spans`."""

    value: bytes
    """An ExportTraceServiceRequest, as protobuf or as OTLP JSON: JSON begins with `{`, protobuf with 0x0a."""
    project_id: str = ""
    """The project its header `spanloom-project` names; else the resource's attribute `spanloom.project_id`
    does, else it is `default`."""
    written: int = 0
    """When the record was written, milliseconds since the epoch; 0 where nobody knows."""
    is_replay: bool = False
    """Its spans are stored already, and what they say of that is believed (`StoredSpan` of otlp.proto)."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The spans of OTLP messages, and what was rejected."""

    table: pa.Table
    """A span table (`spanloom.spans.table.SPAN_TABLE`)."""
    message: npt.NDArray[np.int32]
    """For each row the index of its message."""
    rejects: list[Reject]
    replaces: dict[int, int] = field(default_factory=dict)
    """By the index of a row that was stored already: the version of the row that it replaces."""


def decode(
    messages: Sequence[OtlpMessage],
    *,
    limits: Limits,
    prices: Prices,
    vocabulary: Vocabulary = BUILT_IN,
    notes: list[SpanNotes] | None = None,
) -> Decoded:
    """The spans of OTLP messages as one span table, in the order in which they stand, and what was
    rejected. Why each row is as it is goes into `notes`, where somebody asks for it."""
    decoder = RowDecoder(limits, prices, vocabulary, notes)
    message_of: list[int] = []
    for index, message in enumerate(messages):
        before = len(decoder.columns.rows)
        decoder.add(index, message)
        message_of += [index] * (len(decoder.columns.rows) - before)
    of_rows = np.array(message_of, np.int32)
    return Decoded(decoder.columns.table(), of_rows, decoder.rejects, decoder.replaces)


class RowDecoder:
    def __init__(
        self, limits: Limits, prices: Prices, vocabulary: Vocabulary, notes: list[SpanNotes] | None
    ) -> None:
        self.columns = Columns()
        self.rejects: list[Reject] = []
        self._limits = limits
        self._prices = prices
        self._vocabulary = vocabulary
        self._reader = SpanReader(limits, prices, vocabulary)
        self._notes = notes
        self.replaces: dict[int, int] = {}

    def add(self, index: int, message: OtlpMessage) -> None:
        """Adds the spans of a message to the columns, or what is wrong with it to the rejects."""
        # What is stored came within the limit, and is sent in other messages now.
        limit = sys.maxsize if message.is_replay else self._limits.spans
        try:
            request, count, problem, _ = read_request(message.value, limit)
        except ValueError as error:
            self.rejects.append(Reject(index, str(error), message.value))
            return
        except Exception as error:
            reason = f"The message could not be read ({type(error).__name__})."
            self.rejects.append(Reject(index, reason, message.value))
            return
        if problem:
            # The whole of it, for a part can't be cut out of any JSON; the spans in it are read all the same, and count
            # once however often they are sent.
            self.rejects.append(Reject(index, problem, message.value))
        columns = self.columns
        first = len(columns.rows)
        is_replay, stored, from_row, record = message.is_replay, _NOT_STORED, False, None
        read_row = self._reader.row if self._notes is None else self._noted_row
        name_length = self._limits.name
        bad = BadSpans(index, self._limits.rejects)
        for resource_spans in request.resource_spans:
            resource = -1
            for scope_spans in resource_spans.scope_spans:
                scope = scope_of(scope_spans.scope, name_length)
                for span in scope_spans.spans:
                    trace_id = span.trace_id
                    span_id = span.span_id
                    parent_id = span.parent_span_id
                    if parent_id == _NO_SPAN:
                        parent_id = b""
                    if reason := _bad_ids(trace_id, span_id, parent_id):
                        bad.add(reason, resource_spans, scope_spans, span)
                        continue
                    written = message.written
                    if is_replay:
                        stored = _stored(span)
                        if from_row := stored.HasField("columns"):
                            written = stored.written
                            if record != (record := (trace_id, stored.record)):
                                bear_witness(columns, first)
                                first = len(columns.rows)
                    if resource < 0:
                        resource = len(columns.resources)
                        of_row = stored.columns if from_row else None
                        columns.resources.append(
                            resource_row(
                                resource_spans.resource,
                                message.project_id,
                                count,
                                self._limits,
                                self._vocabulary,
                                of_row,
                            )
                        )
                    times = span_times(span.start_time_unix_nano, span.end_time_unix_nano, written)
                    try:
                        if from_row:
                            row, asked, answered = self._stored_reader.row(span, scope, times, stored.columns)
                        else:
                            row, asked, answered = read_row(span, scope, times)
                    except Exception as error:  # whatever a convention trips over costs this one span
                        reason = f"The span could not be read ({type(error).__name__})."
                        bad.add(reason, resource_spans, scope_spans, span)
                        continue
                    if stored.version:
                        self.replaces[len(columns.rows)] = stored.version
                    columns.rows.append(row)
                    columns.asked.append(asked)
                    columns.answered.append(answered)
                    columns.heads.append((trace_id, span_id, parent_id, times.start, times.end, resource))
        bear_witness(columns, first)
        self.rejects += bad.rejects()

    @cached_property
    def _stored_reader(self) -> StoredSpanReader:
        return StoredSpanReader(self._limits, self._prices, self._vocabulary)

    def _noted_row(
        self, span: otlp_pb2.Span, scope: Scope, times: SpanTimes
    ) -> tuple[SpanRow, Preview, Preview]:
        assert self._notes is not None
        notes = SpanNotes(span.trace_id, span.span_id)
        row = self._reader.row(span, scope, times, notes)
        self._notes.append(notes)
        return row


@lru_cache(maxsize=1024)
def scope_of(scope: bytes, longest: int) -> Scope:
    """What wrote spans; without a name where it has none, or is none. Names are cut to `longest` characters."""
    try:
        parsed = otlp_pb2.InstrumentationScope.FromString(scope)
    except DecodeError:
        return Scope()
    return Scope(
        parsed.name.decode("utf-8", "replace")[:longest], parsed.version.decode("utf-8", "replace")[:longest]
    )


def _stored(span: otlp_pb2.Span) -> otlp_pb2.StoredSpan:
    """What a span of `spanloom replay` says of its row; nothing where that can't be read."""
    try:
        return otlp_pb2.StoredSpan.FromString(span.stored)
    except DecodeError:
        return _NOT_STORED


NO_TRACE = "The span has no valid trace ID: it takes 16 bytes that are not all zero."
NO_SPAN = "The span has no valid span ID: it takes 8 bytes that are not all zero."
NO_PARENT = "The span's parent span ID is neither absent nor 8 bytes long."


def _bad_ids(trace_id: bytes, span_id: bytes, parent_id: bytes) -> str:
    """What is wrong with the IDs of a span; empty if nothing is."""
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return NO_TRACE
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return NO_SPAN
    if parent_id and len(parent_id) != 8:
        return NO_PARENT
    return ""
