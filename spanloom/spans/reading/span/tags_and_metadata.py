"""The labels of a span, tags and metadata: what all keys give, merged."""

from __future__ import annotations

from collections.abc import Iterable

from spanloom.spans.conventions.fields import Field
from spanloom.spans.limits import Limits
from spanloom.spans.reading.wire.attributes import FieldValue

_TAGS = int(Field.TAGS)
_METADATA = int(Field.METADATA)


def merged_tags(labels: Iterable[FieldValue], limits: Limits) -> list[str]:
    """The union of all tags, sorted."""
    length = limits.name
    tags = {tag[:length] for field, _, value in labels if field == _TAGS for tag in value}
    return sorted(tags)[: limits.labels]


def merged_metadata(labels: Iterable[FieldValue], limits: Limits) -> dict[str, str]:
    """All metadata, sorted by name; of a name that several keys give the value of the best-ranked key counts."""
    entries = [(rank, value) for field, rank, value in labels if field == _METADATA]
    if not entries:
        return {}
    if len(entries) > 1:
        # The best rank comes last, so that its value stays.
        entries.sort(reverse=True)
    texts = {name: text for _, pairs in entries for name, text in pairs}
    length = limits.name
    return {name[:length]: texts[name][:length] for name in sorted(texts)[: limits.labels]}
