"""Where a list goes on: a cursor that names the last row seen, not a number of rows.

So the next page takes as long as the first one did however far down it is, and rows that come or go in between shift
nothing. Sort keys are whole numbers or texts, never floats: durations in nanoseconds, costs in picodollars.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Literal

from spanloom.warehouse.queries.filters import Conditions

Order = Literal["asc", "desc"]

KEYS_AT_ONCE = 5_000
"""Rows that are found by one query where a whole list is read: each sorts all that matches."""

ROWS_AT_ONCE = 500
"""Rows that are read by one query: their keys travel as a parameter in its address, which ClickHouse bounds to 1 MB."""


class BadCursor(ValueError):
    """Not a cursor that was given for this list in this order."""

    def __init__(self) -> None:
        super().__init__(
            "The cursor does not belong to this list in this order: ask for the first page again"
        )


def encode(list_name: str, key: Sequence[int | str]) -> str:
    """An opaque text for the last row: its sort key, then what makes it unique.

    Args:
        list_name: the list and its order; a cursor is good for no other.
    """
    packed = json.dumps([list_name, *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode(list_name: str, cursor: str, kinds: Sequence[type]) -> list[int | str]:
    """The key of the last row. Raises `BadCursor`."""
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        decoded: list[Any] = json.loads(packed.decode())
        name, *key = decoded
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise BadCursor from None
    if name != list_name or len(key) != len(kinds):
        raise BadCursor
    values: list[int | str] = []
    for value, kind in zip(key, kinds, strict=True):
        if type(value) is not kind or not isinstance(value, int | str):
            raise BadCursor
        if isinstance(value, int) and not -(2**127) <= value < 2**127:
            raise BadCursor
        # JSON has escapes for lone surrogates, which no text of the database holds.
        if (
            isinstance(value, str)
            and not value.isascii()
            and any("\ud800" <= char <= "\udfff" for char in value)
        ):
            raise BadCursor
        values.append(value)
    return values


def after(conditions: Conditions, columns: Sequence[str], key: Sequence[int | str], order: Order) -> None:
    """Only rows behind the last one; `columns` are the expressions of the key, in the same order."""
    names = [f"after{number}" for number in range(len(key))]
    kinds = ["Int128" if isinstance(value, int) else "String" for value in key]
    left = ", ".join(
        f"toInt128({column})" if kind == "Int128" else f"toString({column})"
        for column, kind in zip(columns, kinds, strict=True)
    )
    right = ", ".join(f"{{{name}:{kind}}}" for name, kind in zip(names, kinds, strict=True))
    sign = "<" if order == "desc" else ">"
    conditions.add(f"({left}) {sign} ({right})", **dict(zip(names, key, strict=True)))
