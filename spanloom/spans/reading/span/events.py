"""The events of a span."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.reading.span.row import EventRow
from spanloom.spans.reading.wire.attributes import CUT, attributes_within, texts


class RawEvent(NamedTuple):
    """An event as it was sent."""

    name: bytes
    time: int
    """Nanoseconds since the epoch."""
    attributes: Sequence[bytes]
    """The bytes of a KeyValue each."""


class Events(NamedTuple):
    """The events of a span."""

    kept: Sequence[EventRow] = ()
    """As they are stored."""
    whole: Sequence[EventRow] = ()
    """With their texts whole, for those may be messages in JSON."""
    cut: bool = False
    """Some were left out, or cut."""


NO_EVENTS = Events()


class EventReader:
    """Reads events within limits."""

    def __init__(self, limits: Limits, vocabulary: Vocabulary) -> None:
        self._limits = limits
        self._attributes = attributes_within(limits, vocabulary)
        self._whole = attributes_within(replace(limits, value=sys.maxsize), vocabulary)

    def read(self, events: Sequence[RawEvent]) -> Events:
        """Return the events of a span."""
        limits = self._limits
        is_cut = len(events) > limits.events
        kept, whole = [], []
        for event in events[: limits.events]:
            raws = event.attributes[: limits.event_attributes]
            found = self._attributes.read_all(raws)
            row = EventRow(event.name.decode("utf-8", "replace")[: limits.name], event.time, texts(found))
            kept.append(row)
            if any(CUT in field_values for _, _, field_values in found):
                is_cut = True
                row = row._replace(attributes=texts(map(self._whole.read, raws)))
            elif len(event.attributes) > len(raws):
                is_cut = True
            whole.append(row)
        return Events(kept, whole, is_cut)
