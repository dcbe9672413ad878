"""Parsed spans to the span table, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import ASSUMED, TRUNCATED, Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.arrays import events_column, lists, maps, strings, valid_texts
from spanloom.spans.reading.columns.attributes import (
    AttributeColumns,
    field_values,
    read_attributes,
    with_notes,
)
from spanloom.spans.reading.columns.details import DetailReader, Details, Heads
from spanloom.spans.reading.columns.fields import FieldColumns, Objects, best_fields
from spanloom.spans.reading.columns.heads import (
    SpanIds,
    TimesOfSpans,
    binary,
    hexadecimal,
    shortened,
    storable,
    times_of_spans,
    valid_strings,
)
from spanloom.spans.reading.columns.key_values import text_of_bytes
from spanloom.spans.reading.columns.names import id_column, named, names, span_types
from spanloom.spans.reading.columns.statuses import statuses
from spanloom.spans.reading.columns.wire import WireSpans
from spanloom.spans.reading.columns.witnesses import bear_witness
from spanloom.spans.reading.resource import ResourceRow
from spanloom.spans.reading.span.events import EventReader, Events, RawEvent
from spanloom.spans.reading.span.row import NO_PREVIEW
from spanloom.spans.reading.span.scope import scope_of
from spanloom.spans.reading.wire.attributes import attributes_within
from spanloom.spans.table import IS_CONTROL_FLOW, NO_START, PICODOLLARS, SPAN_TABLE

_TIME = SPAN_TABLE.field("start_time").type
_TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning", "unsplit")
_COSTS = ("input", "output", "total")

Cuts = dict[int, set[str]]
"""By the index of a span the columns that were cut."""


class ReadSpans(NamedTuple):
    """What was read."""

    table: pa.Table
    """A span table."""
    failed: Mapping[int, str]
    """By the index of a span the kind of the error that its reading ended with: its row is none."""


class TableReader:
    """Reads spans within limits by a vocabulary, with these prices."""

    def __init__(self, limits: Limits, prices: Prices, vocabulary: Vocabulary) -> None:
        self._limits = limits
        self._vocabulary = vocabulary
        self._attributes = attributes_within(limits, vocabulary)
        self._events = EventReader(limits, vocabulary)
        self._details = DetailReader(limits, prices, vocabulary)

    def read(
        self, wire: WireSpans, ids: SpanIds, written: npt.NDArray[np.uint64], resources: Sequence[ResourceRow]
    ) -> ReadSpans:
        """Read spans.

        Args:
            wire: the spans, all of which have valid IDs.
            ids: of theirs.
            written: when the record of each was written, nanoseconds since the epoch; 0 where nobody knows.
            resources: what they have in common; `wire.resource` tells which is whose.
        """
        limits, spans = self._limits, wire.spans
        attributes, cut = read_attributes(spans.field("attributes"), self._attributes, limits.attributes)
        cuts: Cuts = {at: {"attributes"} for at in cut}
        fields = best_fields(field_values(attributes), len(spans))
        events = self._read_events(spans.field("events"), cuts)
        times = times_of_spans(spans, written)
        scopes = [scope_of(raw or b"", limits.name) for raw in wire.scopes.to_pylist()]
        arrays: dict[str, pa.Array] = {}
        for name, field in (("model", Field.MODEL), ("provider", Field.PROVIDER)):
            arrays[name] = names(fields, field, limits.name)
        for name, field in (("response_id", Field.RESPONSE_ID), ("trace_name", Field.TRACE_NAME)):
            arrays[name] = names(fields, field, limits.name)
        model: Objects = arrays["model"].to_numpy(zero_copy_only=False)
        span_type = span_types(fields, model)
        inputs = _recorded(fields, Field.INPUT, Field.TOOL_INPUT, span_type)
        outputs = _recorded(fields, Field.OUTPUT, Field.TOOL_OUTPUT, span_type)
        raw_names = binary(spans, "name")
        heads = Heads(
            span_type.tolist(),
            [scopes[at] for at in wire.scope.tolist()],
            raw_names.to_pylist(),
            model.tolist(),
            arrays["provider"].to_pylist(),
            times,
            events,
        )
        details = self._details.read(fields, heads, inputs, outputs)
        for name, texts in (("input", inputs), ("output", outputs)):
            _shorten(texts, name, limits.text, cuts)
        bear_witness(wire.message, ids, span_type, inputs, outputs, details)
        ended = statuses(spans, fields, events)
        for name, field, numbers in (
            ("session", Field.SESSION_ID, self._vocabulary.session_keys),
            ("user", Field.USER_ID, self._vocabulary.user_keys),
        ):
            column = id_column(fields, field, numbers)
            arrays[f"{name}_id"], arrays[f"{name}_key"] = column.ids, pa.array(column.keys)
            for at in np.flatnonzero(column.is_cut).tolist():
                cuts.setdefault(at, set()).add(f"{name}_id")
        arrays |= _heads(ids, times)
        arrays |= _of_resources(fields, resources, wire.resource, limits)
        arrays |= _details(details, len(spans))
        arrays |= {
            "name": shortened(valid_strings(raw_names), limits.name),
            "span_type": strings(heads.span_type),
            "status": pa.array(ended.status, pa.string()),
            "status_message": shortened(pa.array(ended.message, pa.string()), limits.name),
            "scope": strings([scope.name for scope in scopes]).take(pa.array(wire.scope)),
            "input": valid_strings(pa.array(inputs, pa.binary())),
            "output": valid_strings(pa.array(outputs, pa.binary())),
            "attributes": _attributes(with_notes(attributes, _notes(cuts, times)), len(spans)),
            "events": events_column([events[at].kept if at in events else () for at in range(len(spans))]),
        }
        marks = _scattered(details.marks, len(spans), np.int64) | np.where(times.assumed, NO_START, 0)
        marks |= np.where(ended.is_control_flow, IS_CONTROL_FLOW, 0)
        for previews in (details.asked, details.answered):
            marks |= _scattered({at: preview.marks for at, preview in previews.items()}, len(spans), np.int64)
        arrays["marks"] = pa.array(marks.astype(np.uint16))
        columns = [arrays[field.name] for field in SPAN_TABLE]
        return ReadSpans(pa.Table.from_arrays(columns, schema=SPAN_TABLE), details.failed)

    def _read_events(self, given: pa.ListArray, cuts: Cuts) -> dict[int, Events]:
        found = {}
        offsets = np.asarray(given.offsets)
        counts = np.diff(offsets)
        for at in np.flatnonzero(counts).tolist():
            # One too many tells that some were left out.
            some = given.values.slice(int(offsets[at]), min(int(counts[at]), self._limits.events + 1))
            raws = [
                RawEvent(each["name"] or b"", each["time_unix_nano"] or 0, each["attributes"])
                for each in some.to_pylist()
            ]
            found[at] = self._events.read(raws)
            if found[at].cut:
                cuts.setdefault(at, set()).add("events")
        return found


def _recorded(fields: FieldColumns, field: Field, tool: Field, span_type: Objects) -> Objects:
    """The input or output that attributes name, but for messages that are put together."""
    found = named(fields, field)
    use = fields.has(tool) & ((span_type == "TOOL") | ~fields.has(field))
    found[use] = fields.of(tool)[use]
    return found


def _shorten(texts: Objects, name: str, longest: int, cuts: Cuts) -> None:
    for at, given in enumerate(texts.tolist()):
        # No text has more characters than bytes.
        if len(given) > longest:
            text = text_of_bytes(given) if isinstance(given, bytes) else given
            if len(text) > longest:
                texts[at] = text[:longest]
                cuts.setdefault(at, set()).add(name)


def _notes(cuts: Cuts, times: TimesOfSpans) -> dict[int, dict[str, str]]:
    notes = {at: {TRUNCATED: ",".join(sorted(names))} for at, names in cuts.items()}
    for at in np.flatnonzero(times.assumed).tolist():
        notes.setdefault(at, {})[ASSUMED] = "start_time"
    return notes


def _heads(ids: SpanIds, times: TimesOfSpans) -> dict[str, pa.Array]:
    start = storable(times.start)
    return {
        "trace_id": hexadecimal(ids.trace),
        "span_id": hexadecimal(ids.span),
        "parent_span_id": hexadecimal(ids.parent),
        "start_time": pa.array(start).cast(_TIME),
        "end_time": pa.array(np.maximum(storable(times.end), start)).cast(_TIME),
    }


def _of_resources(
    fields: FieldColumns, resources: Sequence[ResourceRow], which: npt.NDArray[np.int32], limits: Limits
) -> dict[str, pa.Array]:
    at = pa.array(which)
    arrays = {
        "project_id": strings([each.project_id for each in resources]).take(at),
        "service_name": strings([each.service_name for each in resources]).take(at),
        "resource": maps([each.attributes for each in resources]).take(at),
    }
    for name, field in (("environment", Field.ENVIRONMENT), ("release", Field.RELEASE)):
        # What the span says goes before what its resource does.
        of_resources = np.array([getattr(each, name) for each in resources], object)
        own = names(fields, field, limits.name).to_numpy(zero_copy_only=False)
        arrays[name] = pa.array(np.where(own != "", own, of_resources[which]), pa.string())
    return arrays


def _details(details: Details, count: int) -> dict[str, pa.Array]:
    arrays = {
        "tags": lists([details.tags.get(at, ()) for at in range(count)]),
        "metadata": maps([details.metadata.get(at, {}) for at in range(count)]),
        "time_to_first_token": pa.array(_scattered(details.first_token, count, np.float64)),
    }
    rests: dict[int, str] = {}
    for name, previews in (("input", details.asked), ("output", details.answered)):
        found = [previews.get(at, NO_PREVIEW) for at in range(count)]
        arrays[f"{name}_preview"] = valid_texts([preview.text for preview in found])
        arrays[f"{name}_texts"] = lists([preview.others for preview in found])
        for at, preview in previews.items():
            if preview.rest:
                rests[at] = f"{rests[at]}\0{preview.rest}" if at in rests else preview.rest
    arrays["said_rest"] = strings([rests.get(at, "") for at in range(count)])
    usages = _scattered(details.usages, count, np.uint64, len(_TOKENS))
    for place, name in enumerate(_TOKENS):
        arrays[f"{name}_tokens"] = pa.array(usages[:, place])
    known = {at: cost[:4] for at, cost in details.costs.items()}
    costs = _scattered(known, count, np.float64, 4)
    for place, name in enumerate(_COSTS):
        arrays[f"{name}_cost"] = pa.array(costs[:, place] / PICODOLLARS)
    arrays["priced"] = pa.array(costs[:, 3].astype(np.uint8))
    return arrays


def _scattered(found: Mapping[int, Any], count: int, kind: Any, *shape: int) -> npt.NDArray[Any]:
    """Return what is known by the index of a span as an array of `count` spans, 0 for all others.

    Args:
        shape: how many numbers are known of each, where that is more than one.
    """
    array = np.zeros((count, *shape), kind)
    if found:
        array[list(found)] = list(found.values())
    return array


def _attributes(attributes: AttributeColumns, count: int) -> Any:
    return pa.MapArray.from_arrays(*attributes.maps(count))
