"""What one trace adds to its session, and how it travels.

A contribution is a whole value: the newest version of a trace's replaces the one before, and one that is
withdrawn stays known as such, so that an older version that is redelivered changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from spanloom.schemas import facts_pb2
from spanloom.spans.folding.counters import NOTHING, Counters
from spanloom.spans.folding.facts import MESSAGE_BYTES, TraceKey
from spanloom.spans.folding.trace.fold import Trace, union
from spanloom.spans.table import MAX_TIME

NANOSECONDS = 1_000_000_000

INPUT_START = 200
"""Characters of a trace's input that its session keeps."""


class WindowKey(NamedTuple):
    """What names a session window; `window_start` in seconds since the epoch."""

    project_id: str
    session_id: str
    window_start: int


class Contribution(NamedTuple):
    """What one trace adds to one window of its session.

    `start_time` and `duration` are nanoseconds. Of a withdrawn contribution only the first four fields hold anything.
    """

    window: WindowKey
    trace_id: bytes
    version: int
    withdrawn: bool
    start_time: int = 0
    duration: int = 0
    user_id: str = ""
    counters: Counters = NOTHING
    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    input_start: str = ""


def window_start(start_time: int, window_seconds: int) -> int:
    """Return the start, in seconds, of the window in which a time in nanoseconds lies."""
    seconds = start_time // NANOSECONDS
    return seconds - seconds % window_seconds


def contribution_of(trace: Trace, window: WindowKey, version: int) -> Contribution:
    """Return what a trace adds to `window`."""
    return Contribution(
        window=window,
        trace_id=trace.key.trace_id,
        version=version,
        withdrawn=False,
        start_time=trace.start_time,
        duration=trace.end_time - trace.start_time,
        user_id=trace.user_id,
        counters=trace.counters,
        models=trace.models,
        tags=trace.tags,
        services=trace.services,
        environments=union([trace.environment]),
        releases=union([trace.release]),
        input_start=trace.input[:INPUT_START],
    )


def withdrawn(key: TraceKey, window: WindowKey, version: int) -> Contribution:
    """Return the contribution that takes a trace out of `window`."""
    return Contribution(window, key.trace_id, version, withdrawn=True)


_SAME = tuple(name for name in Contribution._fields if name not in ("window", "counters"))
"""Fields that stand in the message under the same names. So do those of the window and the counters."""

_LISTS = ("models", "tags", "services", "environments", "releases")

_window_of = attrgetter(*WindowKey._fields)
_counters_of = attrgetter(*Counters._fields)
_same_of = attrgetter(*_SAME)


def to_message(contribution: Contribution, applied: int = 0) -> facts_pb2.Contribution:
    """Return a contribution as it travels; `applied` as the changelog keeps it."""
    values: dict[str, Any] = dict(zip(_SAME, _same_of(contribution), strict=True))
    values.update(zip(WindowKey._fields, contribution.window, strict=True))
    values.update(zip(Counters._fields, contribution.counters, strict=True))
    return facts_pb2.Contribution(**values, applied=applied)


def from_message(message: facts_pb2.Contribution) -> Contribution:
    """Read a contribution as it travelled."""
    values = dict(zip(_SAME, _same_of(message), strict=True))
    for name in _LISTS:
        values[name] = tuple(values[name])
    return Contribution(
        window=WindowKey._make(_window_of(message)),
        counters=Counters._make(_counters_of(message)),
        **values,
    )


def encode(contributions: Sequence[Contribution]) -> Iterator[bytes]:
    """Turn contributions into messages of `spanloom.trace-facts` that stay below the size limit."""
    chunk: list[facts_pb2.Contribution] = []
    chunk_bytes = 0
    for message in map(to_message, contributions):
        size = message.ByteSize() + 8
        if chunk and chunk_bytes + size > MESSAGE_BYTES:
            yield facts_pb2.TraceFacts(contributions=chunk).SerializeToString()
            chunk, chunk_bytes = [], 0
        chunk.append(message)
        chunk_bytes += size
    if chunk:
        yield facts_pb2.TraceFacts(contributions=chunk).SerializeToString()


def decode(message: bytes) -> Iterable[Contribution]:
    """Read a message of contributions.

    Raises:
        google.protobuf.message.DecodeError, ValueError: these are not contributions.
    """
    contributions = facts_pb2.TraceFacts.FromString(message).contributions
    for one in contributions:
        if (
            len(one.trace_id) != 16
            or not 0 <= one.window_start * NANOSECONDS <= MAX_TIME
            or not 0 <= one.start_time <= MAX_TIME
            or one.duration > MAX_TIME
        ):
            raise ValueError("numbers out of range")
    return map(from_message, contributions)
