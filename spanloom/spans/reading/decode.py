"""OTLP messages to the span table.

Whatever the bytes are, `decode` raises nothing: what can't be read comes back as a `Reject`, and harms nothing around
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.columns.heads import bad_ids, span_ids
from spanloom.spans.reading.columns.table import TableReader
from spanloom.spans.reading.columns.wire import WireSpans, parse
from spanloom.spans.reading.messages import Decoded, OtlpMessage, request_of
from spanloom.spans.reading.resource import DEFAULT_PROJECT, ResourceRow, Resources
from spanloom.spans.reading.rows.decode import RowDecoder
from spanloom.spans.reading.wire.rejects import NO_PARENT, NO_SPAN, NO_TRACE, BadSpans, Reject
from spanloom.spans.reading.wire.request import Request, read_request
from spanloom.spans.table import SPAN_TABLE

__all__ = ["DEFAULT_PROJECT", "Decoded", "OtlpMessage", "Reject", "decode"]

_MILLISECOND = 1_000_000

_LARGE = 8192
"""Where the spans of a message take more bytes than this on average, it is read row by row: nearly all of the work is
parsing long texts, and a text that is parsed as soon as it is decoded is still in the processor's cache."""

_NO_SPANS = -1
"""The place of a resource without spans, which nobody looks up."""


def decode(
    messages: Sequence[OtlpMessage], *, limits: Limits, prices: Prices, vocabulary: Vocabulary = BUILT_IN
) -> Decoded:
    """Return the spans of OTLP messages as one span table, in the order in which they stand, and what was rejected."""
    batch = _Batch(messages, limits, prices, vocabulary)
    return batch.decoded()


class _Parsed(NamedTuple):
    """Messages that were parsed together."""

    indices: list[int]
    wire: WireSpans


class _Batch:
    def __init__(
        self, messages: Sequence[OtlpMessage], limits: Limits, prices: Prices, vocabulary: Vocabulary
    ) -> None:
        self._messages = messages
        self._limits, self._prices, self._vocabulary = limits, prices, vocabulary
        self._rejects: list[Reject] = []
        self._by_row: dict[int, Request | None] = {}
        """By the index of a message that is read row by row its request, None where that is to be read once more."""

    def decoded(self) -> Decoded:
        """Decode all of it."""
        values: dict[int, bytes] = {}
        resources = Resources(self._limits, self._vocabulary)
        places: dict[int, list[int]] = {}
        """By the index of a message those of its resources."""
        counts: dict[int, int] = {}
        for index, message in enumerate(self._messages):
            if message.is_replay:
                self._by_row[index] = None
                continue
            read = request_of(index, message, self._limits.spans, self._rejects)
            if read is None:
                continue
            request, count = read.request, read.spans
            if len(message.value) > _LARGE * count:
                self._by_row[index] = read
                continue
            values[index] = request.SerializeToString() if read.is_json else message.value
            counts[index] = count
            places[index] = [
                resources.place(each.resource, message.project_id, count)
                if any(scope.spans for scope in each.scope_spans)
                else _NO_SPANS
                for each in request.resource_spans
            ]
        indices, wire = self._parse(values, counts)
        if not indices:
            return self._with_rows(SPAN_TABLE.empty_table(), np.empty(0, np.int32))
        which = np.array([place for index in indices for place in places[index]], np.int32)
        wire = wire._replace(resource=which[wire.resource])
        table, of_rows = self._read(np.array(indices, np.int32), wire, resources.rows)
        return self._with_rows(table, of_rows)

    def _parse(self, values: Mapping[int, bytes], counts: Mapping[int, int]) -> _Parsed:
        """Parse what the fast parser reads as the other one does; the rest is read row by row."""
        indices = list(values)
        while True:
            try:
                wire = parse([values[index] for index in indices])
            except ValueError:
                odd = [index for index in indices if not _is_parsed(values[index])] or indices
            else:
                found = np.bincount(wire.message, minlength=len(indices)).tolist()
                odd = [index for index, spans in zip(indices, found, strict=True) if spans != counts[index]]
                if not odd:
                    return _Parsed(indices, wire)
            self._by_row |= dict.fromkeys(odd)
            indices = [index for index in indices if index not in set(odd)]

    def _read(
        self, indices: npt.NDArray[np.int32], wire: WireSpans, resources: Sequence[ResourceRow]
    ) -> tuple[pa.Table, npt.NDArray[np.int32]]:
        """Return the table of parsed spans, and of each row the index of its message."""
        ids = span_ids(wire.spans)
        bad: dict[int, str] = {}
        for reason, is_bad in zip((NO_TRACE, NO_SPAN, NO_PARENT), bad_ids(ids), strict=True):
            for at in np.flatnonzero(is_bad).tolist():
                bad.setdefault(at, reason)
        place = np.delete(np.arange(len(wire.spans)), list(bad))
        good = _only(wire, place) if bad else wire
        if bad:
            ids = span_ids(good.spans)
        message = indices[good.message]
        times = np.array([each.written * _MILLISECOND for each in self._messages], np.uint64)
        reader = TableReader(self._limits, self._prices, self._vocabulary)
        if not len(place):
            self._reject_spans(indices[wire.message], bad)
            return SPAN_TABLE.empty_table(), message
        table, failed = reader.read(good, ids, times[message], resources)
        for at, kind in failed.items():
            bad[int(place[at])] = f"The span could not be read ({kind})."
        if bad:
            self._reject_spans(indices[wire.message], bad)
        if failed:
            rows = np.delete(np.arange(len(place)), list(failed))
            table, message = table.take(pa.array(rows)), message[rows]
        return table, message

    def _reject_spans(self, message: npt.NDArray[np.int32], bad: Mapping[int, str]) -> None:
        """Take note of spans that are none, or can't be read: by the index of a span why."""
        for index in np.unique(message[list(bad)]).tolist():
            some = BadSpans(index, self._limits.rejects)
            at = int(np.searchsorted(message, index))
            for resource_spans in read_request(
                self._messages[index].value, self._limits.spans
            ).request.resource_spans:
                for scope_spans in resource_spans.scope_spans:
                    for span in scope_spans.spans:
                        if at in bad:
                            some.add(bad[at], resource_spans, scope_spans, span)
                        at += 1
            self._rejects += some.rejects()

    def _with_rows(self, table: pa.Table, message: npt.NDArray[np.int32]) -> Decoded:
        """Add what is read row by row."""
        replaces: dict[int, int] = {}
        if self._by_row:
            decoder = RowDecoder(self._limits, self._prices, self._vocabulary, None)
            owners = [message]
            for index, read in sorted(self._by_row.items()):
                before = len(decoder.columns.rows)
                if read is None:
                    decoder.add(index, self._messages[index])
                else:
                    decoder.add_read(index, self._messages[index], read)
                owners.append(np.full(len(decoder.columns.rows) - before, index, np.int32))
            self._rejects += decoder.rejects
            message = np.concatenate(owners)
            order = np.argsort(message, kind="stable")
            first = table.num_rows
            table = pa.concat_tables([table, decoder.columns.table()]).take(pa.array(order))
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            replaces = {int(rank[first + at]): version for at, version in decoder.replaces.items()}
            message = message[order]
        rejects = sorted(self._rejects, key=lambda reject: reject.message)
        return Decoded(table, message, rejects, replaces)


def _is_parsed(value: bytes) -> bool:
    try:
        parse([value])
    except ValueError:
        return False
    return True


def _only(wire: WireSpans, place: npt.NDArray[np.int64]) -> WireSpans:
    """Return the spans at these places."""
    return wire._replace(
        spans=wire.spans.take(pa.array(place)),
        message=wire.message[place],
        resource=wire.resource[place],
        scope=wire.scope[place],
    )
