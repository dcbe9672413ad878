"""How much of one span is kept. The span's attribute `spanloom.truncated` names what was cut."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

TRUNCATED = "spanloom.truncated"
"""The attribute that names what was cut, separated by commas: columns, or `attributes`, `events`,
`resource`."""


ASSUMED = "spanloom.assumed"
"""The attribute that names the columns that are not as the span was sent, because it says nothing that can be so."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep a hostile or broken sender from filling memory; real spans stay far below them.

    Lengths are in characters (a character of UTF-8 is 1 to 4 bytes). These are the defaults; `agents/settings.py`
    has the settings and the range of each.
    """

    text: int = 1 << 20
    """Length of `input` and `output`: a model's whole context of 200,000 tokens is about 800,000
    characters."""

    name: int = 1024
    """Length of names, IDs, models, tags, metadata values and status messages: they travel with the facts."""

    labels: int = 64
    """Labels of a span: this many tags, and this many entries of its metadata. They travel with the facts."""

    value: int = 1 << 16
    """Length of an attribute's value: longer ones are messages, which `input` and `output` hold whole."""

    attributes: int = 4096
    """Attributes of a span; those that a convention reads are kept first. A flattened history of a thousand
    messages stays below."""

    resource: int = 16_384
    """Length of all attributes of a resource together: they are repeated on each of its spans."""

    events: int = 256
    """Events of a span (OpenTelemetry's SDKs stop at 128)."""

    event_attributes: int = 128
    """Attributes of an event (OpenTelemetry's SDKs stop at 128)."""

    spans: int = 50_000
    """Spans of a message; more go to the dead letters as a whole. A message of Kafka's default size (1 MB)
    holds fewer, and the Collector sends at most 8,192."""

    rejects: int = 64
    """Spans of a message that go to the dead letters one by one; further ones go together in one."""

    nesting: int = 64
    """Levels of arrays and maps in a value; what lies deeper is shown as base64 of its bytes."""


def unlimited(limits: Limits) -> Limits:
    """Return limits by which nothing that is stored is cut once more; names and labels have no others than today's."""
    most = sys.maxsize
    return replace(
        limits,
        text=most,
        value=most,
        attributes=most,
        resource=most,
        events=most,
        event_attributes=most,
        spans=most,
    )
