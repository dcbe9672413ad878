"""Messages decoded in columns and row by row, which must come to the same."""

from __future__ import annotations

from collections.abc import Sequence

from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import decode as by_columns
from spanloom.spans.reading.messages import Decoded, OtlpMessage
from spanloom.spans.reading.rows.decode import decode as by_row

_PRICES = Prices()
_LIMITS = Limits()
_WRITTEN = 1_790_000_000_000


def same(values: Sequence[bytes], limits: Limits = _LIMITS) -> Decoded:
    """Decode messages in both ways, compare, and return what they were decoded to."""
    messages = [OtlpMessage(value, "", _WRITTEN * (at % 2)) for at, value in enumerate(values)]
    rows = by_row(messages, limits=limits, prices=_PRICES)
    columns = by_columns(messages, limits=limits, prices=_PRICES)
    assert columns.rejects == rows.rejects
    assert columns.message.tolist() == rows.message.tolist()
    assert columns.table.schema == rows.table.schema
    for name in rows.table.column_names:
        assert columns.table[name].equals(rows.table[name]), name
    columns.table.validate(full=True)
    return columns
