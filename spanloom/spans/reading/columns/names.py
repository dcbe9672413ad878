"""Columns of short texts that attributes name: types, models, IDs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spanloom.spans.conventions.fields import Field
from spanloom.spans.reading.columns.fields import FieldColumns, Objects
from spanloom.spans.reading.columns.heads import Mask, shortened
from spanloom.spans.text.ids import LONGEST_ID, bounded_id

_TOKENS = range(Field.INPUT_TOKENS, Field.TOTAL_TOKENS + 1)


def named(fields: FieldColumns, field: Field) -> Objects:
    """Return the text of a field for each span, empty where no key names it."""
    found = fields.of(field)
    found[~fields.has(field)] = ""
    return found


def names(fields: FieldColumns, field: Field, longest: int) -> pa.StringArray:
    """Return the same as a column, cut to so many characters."""
    return shortened(pa.array(named(fields, field), pa.string()), longest)


def span_types(fields: FieldColumns, model: Objects) -> Objects:
    """Return the type of each span: of one that gives none, with usage the one it gives for that case, else LLM if it
    gives a model."""
    types = np.full(fields.spans, "DEFAULT", object)
    used = np.logical_or.reduce([fields.has(field) for field in _TOKENS])
    types[used & (model != "")] = "LLM"
    for field, where in ((Field.SPAN_TYPE_IF_USED, used), (Field.SPAN_TYPE, True)):
        given = fields.has(field) & where
        types[given] = fields.of(field)[given]
    return types


class IdColumn(NamedTuple):
    """IDs of sessions or users."""

    ids: pa.StringArray
    keys: npt.NDArray[np.uint16]
    """The number of the key that named each."""
    is_cut: Mask


def id_column(fields: FieldColumns, field: Field, numbers: Mapping[int, int]) -> IdColumn:
    """Return the IDs that a field gives; those that are too long are cut, and told apart all the same."""
    ids = pa.array(named(fields, field), pa.string())
    is_cut = np.zeros(fields.spans, bool)
    if (pc.max(pc.binary_length(ids)).as_py() or 0) > LONGEST_ID:
        given = ids.to_pylist()
        is_cut = np.fromiter((len(each) > LONGEST_ID for each in given), bool, fields.spans)
        ids = pa.array([bounded_id(each) if len(each) > LONGEST_ID else each for each in given], pa.string())
    number_of = {rank: numbers[rank] for rank in np.unique(fields.rank(field)).tolist()}
    keys = np.fromiter(map(number_of.__getitem__, fields.rank(field).tolist()), np.uint16, fields.spans)
    return IdColumn(ids, keys, is_cut)
