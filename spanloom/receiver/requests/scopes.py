"""What a request is split into: the spans of each scope, as places in the request's bytes, within bounds.

The bounds are far beyond what senders batch (the Collector 8,192 spans, SDKs 512). They keep small what is known of a
request while it is split: some 500 bytes a scope, 16 a span, whatever the request is made of.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

MOST_SPANS = 500_000
MOST_OTHERS = 200_000
"""Whatever is no span: resources, scopes, and what else stands beside them."""


class TooMany(ValueError):
    """There is more in a request than is looked at; a sentence."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope that has spans. Resource and scope: all that they hold but the scopes and the spans in them."""

    resource: bytes
    scope: bytes
    spans: array[int] = field(default_factory=lambda: array("Q"))
    """For each span where it begins and where it ends."""


class Bounds:
    """Counts what is found in a request.

    Raises:
        TooMany: from its methods, as soon as there is too much.
    """

    def __init__(self) -> None:
        self._spans = MOST_SPANS
        self._others = MOST_OTHERS

    def other(self) -> None:
        """Count whatever is no span."""
        self._others -= 1
        if self._others < 0:
            raise TooMany(
                f"The request has more than {MOST_OTHERS} resources and scopes: send fewer spans at once."
            )

    def span(self) -> None:
        """Count a span."""
        self._spans -= 1
        if self._spans < 0:
            raise TooMany(f"The request has more than {MOST_SPANS} spans: send fewer at once.")
