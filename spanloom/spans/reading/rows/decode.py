"""OTLP messages to the span table, row by row.

Whatever the bytes are, `decode` raises nothing: what can't be read comes back as a `Reject`, and harms
nothing around it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from google.protobuf.message import DecodeError

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.families import Scope
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.messages import Decoded, OtlpMessage, request_of
from spanloom.spans.reading.resource import resource_row
from spanloom.spans.reading.rows.kept import StoredSpanReader
from spanloom.spans.reading.rows.notes import SpanNotes
from spanloom.spans.reading.rows.span import SpanReader
from spanloom.spans.reading.rows.table import Columns
from spanloom.spans.reading.rows.witnesses import bear_witness
from spanloom.spans.reading.span.row import Preview, SpanRow
from spanloom.spans.reading.span.scope import scope_of
from spanloom.spans.reading.span.times import SpanTimes, span_times
from spanloom.spans.reading.wire.rejects import NO_PARENT, NO_SPAN, NO_TRACE, BadSpans, Reject
from spanloom.spans.reading.wire.request import Request

_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)
_NOT_STORED = otlp_pb2.StoredSpan()


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
        if (read := request_of(index, message, limit, self.rejects)) is not None:
            self.add_read(index, message, read)

    def add_read(self, index: int, message: OtlpMessage, read: Request) -> None:
        """The same of a message that was read already."""
        request, count = read.request, read.spans
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


def _stored(span: otlp_pb2.Span) -> otlp_pb2.StoredSpan:
    """What a span of `spanloom replay` says of its row; nothing where that can't be read."""
    try:
        return otlp_pb2.StoredSpan.FromString(span.stored)
    except DecodeError:
        return _NOT_STORED


def _bad_ids(trace_id: bytes, span_id: bytes, parent_id: bytes) -> str:
    """What is wrong with the IDs of a span; empty if nothing is."""
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return NO_TRACE
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return NO_SPAN
    if parent_id and len(parent_id) != 8:
        return NO_PARENT
    return ""
