"""Facts out of the span table: one list of values for each field of `Fact`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spanloom.spans.folding.fact import Fact, SpanLabels, SpanTexts
from spanloom.spans.table import COST_COLUMNS, PICODOLLARS, SPAN_TYPES, STATUSES

FactColumns = dict[str, list[Any]]
"""The values of each field of `Fact`, span by span."""

_SPAN_TYPE = {name: position for position, name in enumerate(SPAN_TYPES)}
_STATUS = {name: position for position, name in enumerate(STATUSES)}


def fact_columns(table: pa.Table) -> FactColumns:
    """Return the facts of a table with FACT_COLUMNS; fields have the types of `Fact`."""
    start = table["start_time"].cast(pa.int64()).to_numpy()
    columns: FactColumns = {
        "span_id": [int(text, 16) for text in texts(table, "span_id")],
        "parent_span_id": [int(text, 16) if text else 0 for text in texts(table, "parent_span_id")],
        "span_type": [_SPAN_TYPE[text] for text in texts(table, "span_type")],
        "status": [_STATUS[text] for text in texts(table, "status")],
        "start_time": start.tolist(),
        "duration": (table["end_time"].cast(pa.int64()).to_numpy() - start).tolist(),
        "priced": table["priced"].cast(pa.bool_()).to_pylist(),
        "labels": _labels(table),
        "inside": _inside(table),
    }
    for name in Fact._fields:
        if name in columns:
            continue
        if name in COST_COLUMNS:
            # Rounding makes whole picodollars of the nearest float: exact up to 2,251 USD a span.
            columns[name] = (
                pc.round(pc.multiply(table[name], float(PICODOLLARS))).cast(pa.int64()).to_numpy().tolist()
            )
        elif pa.types.is_integer(table[name].type):
            columns[name] = table[name].to_numpy().tolist()
        else:
            columns[name] = texts(table, name)
    return columns


def texts(table: pa.Table, name: str) -> list[str]:
    """Return the texts of a column."""
    found: list[str] = table[name].to_numpy(zero_copy_only=False).tolist()
    return found


def _labels(table: pa.Table) -> list[SpanLabels | None]:
    labels: list[SpanLabels | None] = [None] * len(table)
    has_any = (_lengths(table, "tags") > 0) | (_lengths(table, "metadata") > 0)
    rows = np.flatnonzero(has_any)
    if len(rows):
        tags = table["tags"].take(rows).to_pylist()
        metadata = table["metadata"].take(rows).to_pylist()
        for row, some_tags, some_metadata in zip(rows.tolist(), tags, metadata, strict=True):
            labels[row] = SpanLabels(tuple(some_tags), tuple(sorted(dict(some_metadata).items())))
    return labels


def _inside(table: pa.Table) -> list[SpanTexts | None]:
    inside: list[SpanTexts | None] = [None] * len(table)
    rows = np.flatnonzero((_lengths(table, "input_texts") > 0) | (_lengths(table, "output_texts") > 0))
    if len(rows):
        inputs = table["input_texts"].take(rows).to_pylist()
        outputs = table["output_texts"].take(rows).to_pylist()
        for row, some, others in zip(rows.tolist(), inputs, outputs, strict=True):
            inside[row] = SpanTexts(tuple(some), tuple(others))
    return inside


def _lengths(table: pa.Table, name: str) -> npt.NDArray[np.int32]:
    """The lengths of a column of lists or maps (Arrow's own function takes no maps)."""
    column = table[name].combine_chunks()
    lengths: npt.NDArray[np.int32] = np.diff(column.offsets.to_numpy())
    return lengths
