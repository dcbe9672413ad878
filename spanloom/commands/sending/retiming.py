"""Moving spans' times to now, so that recordings look as if they had just been made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from spanloom.commands.otlp_files import FileMessage, Skipped, parse
from spanloom.schemas.otlp_pb2 import ExportTraceServiceRequest, Span


def last_ends(messages: Iterable[FileMessage | Skipped]) -> dict[Path, int]:
    """Return when the last span of each folder ends, nanoseconds since the epoch."""
    ends: dict[Path, int] = {}
    for message in messages:
        if isinstance(message, FileMessage):
            last = max((span.end_time_unix_nano for span in _spans(parse(message.value))), default=0)
            folder = message.path.parent
            ends[folder] = max(ends.get(folder, 0), last)
    return ends


def retimed(message: FileMessage, ends: dict[Path, int], now: int) -> FileMessage:
    """Return a message as protobuf, its spans moved by one time each folder, so that the last of it ends at `now`."""
    request = parse(message.value)
    shift = now - (ends.get(message.path.parent) or now)
    for span in _spans(request):
        span.start_time_unix_nano = max(span.start_time_unix_nano + shift, 0)
        span.end_time_unix_nano = max(span.end_time_unix_nano + shift, 0)
        for event in span.events:
            event.time_unix_nano = max(event.time_unix_nano + shift, 0)
    return FileMessage(message.path, request.SerializeToString(), message.place)


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans
