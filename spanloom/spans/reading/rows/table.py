"""Rows laid out as the columns of the span table, one column at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import or_

import numpy as np
import pyarrow as pa

from spanloom.spans.reading.arrays import (
    array,
    events_column,
    hexadecimal,
    lists,
    map_array,
    maps,
    offsets,
    strings,
    times,
    timestamps,
    valid_texts,
)
from spanloom.spans.reading.resource import ResourceRow
from spanloom.spans.reading.span.row import Preview, SpanRow
from spanloom.spans.table import COST_COLUMNS, PICODOLLARS, SPAN_TABLE

Head = tuple[bytes, bytes, bytes, int, int, int]
"""IDs of trace, span and parent; start and end in nanoseconds; index of the resource."""


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
            "start_time": timestamps(start),
            "end_time": timestamps(np.maximum(times(ends), start)),
            "tags": lists(columns["tags"]),
            "metadata": maps(columns["metadata"]),
            "attributes": map_array(
                offsets(columns["attribute_keys"]),
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
                arrays[field.name] = array(columns[field.name], field.type)
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
