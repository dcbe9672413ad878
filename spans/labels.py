"""Tags and metadata: what all keys say, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spans.conventions.fields import Field
from spans.limits import Limits
from spans.values import valid_text

_TAGS = int(Field.TAGS)
_METADATA = int(Field.METADATA)

Merged = Sequence[tuple[int, int, Any]]
"""Field, rank and value of each key, see `found.Found`."""


def merged_tags(merged: Merged, limits: Limits) -> list[str]:
    """The union of all tags, sorted."""
    tags = {valid_text(tag[: limits.name]) for field, _, value in merged if field == _TAGS for tag in value}
    return sorted(tags - {""})[: limits.labels]


def merged_metadata(merged: Merged, limits: Limits) -> dict[str, str]:
    """All metadata, sorted by name; of a name that several keys give the best-ranked one's word counts."""
    named: dict[str, tuple[int, str]] = {}
    for field, rank, entries in merged:
        if field != _METADATA:
            continue
        for name, text in entries:
            known = named.get(name)
            if name and text and (known is None or rank < known[0]):
                named[name] = (rank, text)
    kept = sorted(named)[: limits.labels]
    return {valid_text(name[: limits.name]): valid_text(named[name][1][: limits.name]) for name in kept}
