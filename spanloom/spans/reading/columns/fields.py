"""The fields of many spans: of each field the value of the best-ranked key."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spanloom.spans.conventions.fields import FIRST_MERGED
from spanloom.spans.conventions.registry import NOT_READ
from spanloom.spans.reading.columns.attributes import FieldValues
from spanloom.spans.reading.wire.attributes import FieldValue

Objects = npt.NDArray[np.object_]
"""A value, mostly a text, for each span."""


class FieldColumns(NamedTuple):
    """The fields of some spans."""

    spans: int
    best: npt.NDArray[np.int32]
    """By field and span the index in `values` and `ranks`, the last one where no key names the field."""
    values: Objects
    """None as the last one."""
    ranks: npt.NDArray[np.int32]
    """NOT_READ as the last one."""
    merged: dict[int, list[FieldValue]]
    """By the index of a span the field values of fields that merge all their keys, as they were sent."""

    def of(self, field: int) -> Objects:
        """Return the value of a field for each span, None where no key names it."""
        found: Objects = self.values[self.best[field]]
        return found

    def rank(self, field: int) -> npt.NDArray[np.int32]:
        """Return the rank of the key that names a field, NOT_READ where none does."""
        found: npt.NDArray[np.int32] = self.ranks[self.best[field]]
        return found

    def has(self, field: int) -> npt.NDArray[np.bool_]:
        """Return whether a key names the field."""
        found: npt.NDArray[np.bool_] = self.best[field] != len(self.values) - 1
        return found


def best_fields(given: FieldValues, count: int) -> FieldColumns:
    """Find the best-ranked key of each field of `count` spans."""
    said = len(given.said)
    field = np.fromiter((each[0] for each in given.said), np.int32, said)
    ranks = np.empty(said + 1, np.int32)
    ranks[:said] = np.fromiter((each[1] for each in given.said), np.int32, said)
    ranks[said] = NOT_READ
    values = np.empty(said + 1, object)
    values[:said] = np.fromiter((each[2] for each in given.said), object, said)
    of = field[given.which]
    single = np.flatnonzero(of < FIRST_MERGED)[::-1]
    # The best last, and of equals the first: what stands behind replaces what stood before.
    single = single[np.argsort(-ranks[given.which[single]], kind="stable")]
    best = np.full(FIRST_MERGED * count, said, np.int32)
    best[of[single] * np.int64(count) + given.owner[single]] = given.which[single]
    return FieldColumns(
        count,
        best.reshape(FIRST_MERGED, count),
        values,
        ranks,
        _merged(given, np.flatnonzero(of >= FIRST_MERGED)),
    )


def _merged(given: FieldValues, at: npt.NDArray[np.int64]) -> dict[int, list[FieldValue]]:
    found: dict[int, list[Any]] = {}
    for owner, which in zip(given.owner[at].tolist(), given.which[at].tolist(), strict=True):
        if owner in found:
            found[owner].append(given.said[which])
        else:
            found[owner] = [given.said[which]]
    return found
