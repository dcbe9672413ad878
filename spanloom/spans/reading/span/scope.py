"""What wrote spans."""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.message import DecodeError

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.families import Scope


@lru_cache(maxsize=1024)
def scope_of(scope: bytes, longest: int) -> Scope:
    """What wrote spans; without a name where it has none, or is none. Names are cut to `longest` characters."""
    try:
        parsed = otlp_pb2.InstrumentationScope.FromString(scope)
    except DecodeError:
        return Scope()
    return Scope(
        parsed.name.decode("utf-8", "replace")[:longest], parsed.version.decode("utf-8", "replace")[:longest]
    )
