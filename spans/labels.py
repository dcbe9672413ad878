"""Tags and metadata: what all keys say, merged."""

from __future__ import annotations

from collections.abc import Sequence
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
    entries = sorted(
        (rank, name, text)
        for field, rank, named in merged
        if field == _METADATA
        for name, text in named
        if name and text
    )
    # The best rank comes last, so that its word stays.
    texts = {name: text for _, name, text in reversed(entries)}
    length = limits.name
    return {
        valid_text(name[:length]): valid_text(texts[name][:length]) for name in sorted(texts)[: limits.labels]
    }
