"""Why the row of a span is as it is: noted while it is read, for those who ask (`spans.explaining`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spanloom.spans.reading.rows.fields import SpanFields
from spanloom.spans.reading.span.costs import SpanCosts
from spanloom.spans.reading.span.previews import NOWHERE
from spanloom.spans.reading.span.usage import UsageRule
from spanloom.spans.reading.wire.attributes import Attribute


@dataclass(slots=True)
class SpanNotes:
    """What decided about one span. `SpanReader.row` fills it."""

    trace_id: bytes
    span_id: bytes
    attributes: Sequence[Attribute] = ()
    """All of its attributes as they were sent, with the field values that each gives."""
    fields: SpanFields | None = None
    """What came out of them."""
    input_source: int = NOWHERE
    """Where the input is from, see `Chosen.source`; likewise `output_source`."""
    output_source: int = NOWHERE
    usage_rules: list[UsageRule] = field(default_factory=list)
    """What decided on its tokens, in order; empty where it states none."""
    cost: SpanCosts | None = None
