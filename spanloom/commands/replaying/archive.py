"""OTLP files as portions of a replay: an archive keeps spans whole that were cut when they were stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

from spanloom.commands.otlp_files import NOTHING, FileError, FileMessage, messages, parse
from spanloom.commands.replaying.portion import Portion
from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.vocabulary import BUILT_IN
from spanloom.spans.folding.facts import partition_of
from spanloom.spans.limits import Limits
from spanloom.spans.reading.decode import DEFAULT_PROJECT
from spanloom.spans.reading.stored.messages import StoredMessage
from spanloom.spans.reading.wire.attributes import attributes_within, texts
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.lookup import forgotten_up_to
from spanloom.warehouse.stored_spans import StoredRange, TraceId, spans_of

_PROJECT = "spanloom.project_id"

_FORGOTTEN = b"forgotten"
"""In the place of the ID of a span that is to be left out; no span has such a one."""


async def archive_portions(
    paths: Sequence[Path], warehouse: Warehouse, wanted: StoredRange, after: Sequence[str], partitions: int
) -> AsyncIterator[Portion]:
    """Read the spans of files that start in a range, file by file in the order of their names.

    A span that is stored goes out to replace the row that is there now, and no later one. One that is not stored is
    left out if others of its trace were forgotten on request.

    Args:
        wanted: `project` is that of the files, where their resources don't say.
        after: the file, or message of it, behind which to begin; empty for the first one.
        partitions: of the source topic.

    Raises:
        spanloom.commands.otlp_files.FileError: a file can't be read.
    """
    waiting = after[0] if after else ""
    for file in _messages(paths):
        if waiting:
            waiting = "" if file.where == waiting else waiting
            continue
        try:
            request = parse(file.value)
        except ValueError as error:
            raise FileError(f"{file.where} can't be sent: {error}") from None
        _only(request, lambda span: wanted.start <= span.start_time_unix_nano < wanted.end)
        portion, forgotten = [], 0
        if spans := list(_spans(request, wanted.project)):
            forgotten = await _mark_stored(warehouse, spans)
            if forgotten:
                _only(request, lambda span: span.span_id != _FORGOTTEN)
                spans = list(_spans(request, wanted.project))
        if spans:
            trace = spans[0][0]
            at = partition_of((trace.project_id, bytes.fromhex(trace.trace_id)), partitions)
            portion.append(StoredMessage(wanted.project, at, request.SerializeToString(), len(spans)))
        yield Portion(portion, 1, [file.where], forgotten=forgotten)
    if waiting:
        raise FileError(
            f"{waiting} was sent last and is gone: put it back, or begin anew with another --progress"
        )


def messages_in(paths: Sequence[Path]) -> int:
    """Return how many messages there are.

    Raises:
        spanloom.commands.otlp_files.FileError: one can't be read, or there is none.
    """
    if not (found := sum(1 for _ in _messages(paths))):
        raise FileError(NOTHING)
    return found


def _messages(paths: Sequence[Path]) -> Iterator[FileMessage]:
    """One at a time: an archive may be larger than memory."""
    for each in messages(paths):
        if isinstance(each, FileMessage):
            yield each
        elif not each.harmless:
            raise FileError(str(each))


def _only(request: otlp_pb2.ExportTraceServiceRequest, is_wanted: Callable[[otlp_pb2.Span], bool]) -> None:
    """Take away all other spans."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if is_wanted(span)]
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


async def _mark_stored(warehouse: Warehouse, spans: Sequence[tuple[TraceId, otlp_pb2.Span]]) -> int:
    """Note on each span that is stored which row it is to replace, and take the ID from those that were forgotten;
    returns how many these are."""
    traces = sorted({trace for trace, _ in spans})
    stored = await spans_of(warehouse, traces)
    versions = {(span.project_id, span.trace_id, span.span_id): span.version for span in stored}
    erased = (await forgotten_up_to(warehouse, traces)).to_pylist()
    forgotten = {TraceId(row["project_id"], row["trace_id"]) for row in erased}
    count = 0
    for trace, span in spans:
        version = versions.get((*trace, span.span_id.hex()))
        span.ClearField("stored")
        if version is not None:
            span.stored = otlp_pb2.StoredSpan(version=version).SerializeToString()
        elif trace in forgotten:
            span.span_id = _FORGOTTEN
            count += 1
    return count
