"""OTLP files as portions of a replay: an archive keeps spans whole that were cut when they were stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from spanloom.commands.otlp_files import FileError, find, parse
from spanloom.commands.replaying.portion import Portion
from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.vocabulary import BUILT_IN
from spanloom.spans.folding.facts import partition_of
from spanloom.spans.limits import Limits
from spanloom.spans.reading.decode import DEFAULT_PROJECT
from spanloom.spans.reading.stored.messages import StoredMessage
from spanloom.spans.reading.wire.attributes import attributes_within, texts
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.stored_spans import StoredRange, TraceId, spans_of

_PROJECT = "spanloom.project_id"


async def archive_portions(
    paths: Sequence[Path], warehouse: Warehouse, wanted: StoredRange, after: Sequence[str], partitions: int
) -> AsyncIterator[Portion]:
    """Read the spans of files that start in a range, file by file in the order of their names.

    A span that is stored goes out to replace the row that is there now, and no later one.

    Args:
        wanted: `project` is that of the files, where their resources don't say.
        after: the file behind which to begin; empty for the first one.
        partitions: of the source topic.

    Raises:
        spanloom.commands.otlp_files.FileError: a file can't be read.
    """
    files = find(paths)
    if after:
        names = [str(file.path) for file in files]
        if after[0] not in names:
            raise FileError(
                f"{after[0]} was sent last and is gone: put it back, or begin anew with another --progress"
            )
        files = files[names.index(after[0]) + 1 :]
    for file in files:
        request = parse(file.path, file.value)
        _only(request, wanted)
        messages = []
        if spans := list(_spans(request, wanted.project)):
            versions = await _versions(warehouse, {trace for trace, _ in spans})
            for trace, span in spans:
                version = versions.get((*trace, span.span_id.hex()))
                span.ClearField("stored")
                if version is not None:
                    span.stored = otlp_pb2.StoredSpan(version=version).SerializeToString()
            trace = spans[0][0]
            at = partition_of((trace.project_id, bytes.fromhex(trace.trace_id)), partitions)
            messages.append(StoredMessage(wanted.project, at, request.SerializeToString(), len(spans)))
        yield Portion(messages, 1, [str(file.path)])


def files_in(paths: Sequence[Path]) -> int:
    """Return how many files there are.

    Raises:
        spanloom.commands.otlp_files.FileError: one can't be read.
    """
    return len(find(paths))


def _only(request: otlp_pb2.ExportTraceServiceRequest, wanted: StoredRange) -> None:
    """Leave only the spans that start in the range."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if wanted.start <= span.start_time_unix_nano < wanted.end]
            if len(kept) < len(scope.spans):
                del scope.spans[:]
                scope.spans.extend(kept)


def _spans(
    request: otlp_pb2.ExportTraceServiceRequest, project: str
) -> Iterator[tuple[TraceId, otlp_pb2.Span]]:
    reader = attributes_within(Limits(), BUILT_IN)
    for resource in request.resource_spans:
        of_resource = project or texts(reader.read_all(resource.resource.attributes)).get(_PROJECT, "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield TraceId(of_resource or DEFAULT_PROJECT, span.trace_id.hex()), span


async def _versions(warehouse: Warehouse, traces: set[TraceId]) -> dict[tuple[str, str, str], int]:
    stored = await spans_of(warehouse, sorted(traces))
    return {(span.project_id, span.trace_id, span.span_id): span.version for span in stored}
