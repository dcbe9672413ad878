"""Rows of spans as ClickHouse keeps them: an input or output that is an attribute's text stands there once.

Nearly every call of a model has its messages in an attribute, and they are most of its bytes. The stored row leaves
that text out: the attribute's key stands in its place without it, and in a column of its own; the column
`all_attributes` and the view `spans` put the text back (`schemas/clickhouse/0001_spans.sql`). The order of attributes
stays, for it decides between keys of one rank.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spanloom.spans.table import SPAN_TABLE

KEY_COLUMNS = ("input_key", "output_key")
"""The key of the attribute whose text is left out, for it is the input, or the output; empty where none is."""

STORED_TABLE = pa.schema([*SPAN_TABLE, *(pa.field(name, pa.string(), False) for name in KEY_COLUMNS)])
"""The schema of stored rows."""


def each_text_once(table: pa.Table) -> pa.Table:
    """Turn a span table, which may have further columns, into rows with KEY_COLUMNS as the last ones."""
    attributes = pa.concat_arrays(table["attributes"].chunks) if table.num_rows else _no_attributes()
    offsets = np.asarray(attributes.offsets).astype(np.int64)
    keys, items = attributes.keys, attributes.items
    owner = np.repeat(np.arange(table.num_rows), np.diff(offsets))
    first, count = int(offsets[0]), int(offsets[-1] - offsets[0])
    lengths = np.asarray(pc.binary_length(items.slice(first, count)))
    # A key that is empty could not be told from none.
    named = np.asarray(pc.binary_length(keys.slice(first, count))) > 0
    kept = np.ones(count, bool)
    columns = []
    for name in ("input", "output"):
        texts = table[name].combine_chunks()
        longest = np.asarray(pc.binary_length(texts))
        found = np.flatnonzero((lengths == longest[owner]) & (lengths > 0) & named & kept)
        same = pc.equal(items.take(pa.array(found + first)), texts.take(pa.array(owner[found])))
        found = found[np.asarray(same)]
        rows, at = np.unique(owner[found], return_index=True)
        kept[found[at]] = False
        columns.append(_keys_of(keys, rows, found[at] + first, table.num_rows))
    for name, column in zip(KEY_COLUMNS, columns, strict=True):
        table = table.append_column(STORED_TABLE.field(name), column)
    if kept.all():
        return table
    texts = pc.if_else(pa.array(kept), items.slice(first, count), "")
    shorter = pa.MapArray.from_arrays(
        pa.array((offsets - first).astype(np.int32)), keys.slice(first, count), texts
    )
    at = table.schema.get_field_index("attributes")
    return table.set_column(at, table.schema.field(at), shorter)


def _keys_of(keys: pa.Array, rows: npt.NDArray[np.int64], at: npt.NDArray[np.int64], count: int) -> pa.Array:
    """Return a column of `count` keys: in these rows the ones that stand at these places."""
    places = np.zeros(count, np.int64)
    places[rows] = at
    missing = np.ones(count, bool)
    missing[rows] = False
    return keys.take(pa.array(places, mask=missing)).fill_null("")


def _no_attributes() -> pa.Array:
    return pa.array([], SPAN_TABLE.field("attributes").type)
