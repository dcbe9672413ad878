"""OTLP files to send: finding them, reading them, and moving their times to now."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from spanloom.schemas.otlp_pb2 import ExportTraceServiceRequest
from spanloom.spans.reading.wire.otlp_json import from_json


class FileError(Exception):
    """A file can't be sent; the message says which and why."""


@dataclass(frozen=True, slots=True)
class OtlpFile:
    """One file and the OTLP message in it, protobuf or JSON as it stands there."""

    path: Path
    value: bytes


def find(paths: Iterable[Path]) -> list[OtlpFile]:
    """Read the files, `-` for standard input, and in folders all `*.pb` and those `*.json` that hold OTLP.

    Raises:
        FileError: one is missing, can't be read, is empty, or is not OTLP.
    """
    found = []
    for path in paths:
        if str(path) == "-":
            found.append(_standard_input())
        elif path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.suffix in {".pb", ".json"}]
            found += [read for file in inside if (read := _read(file, inside_folder=True)) is not None]
        else:
            read = _read(path, inside_folder=False)
            assert read is not None
            found.append(read)
    if not found:
        raise FileError(
            "no .pb or .json file with OTLP spans is there: name a file or a folder that holds some"
        )
    return found


def _standard_input() -> OtlpFile:
    path = Path("standard input")
    value = sys.stdin.buffer.read()
    parse(path, value)
    return OtlpFile(path, value)


def _read(path: Path, *, inside_folder: bool) -> OtlpFile | None:
    try:
        value = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror}") from None
    if inside_folder and path.suffix == ".json" and b"resourceSpans" not in value:
        return None
    parse(path, value)
    return OtlpFile(path, value)


def parse(path: Path, value: bytes) -> ExportTraceServiceRequest:
    """Return the spans in a file.

    Raises:
        FileError: it is empty, or not OTLP.
    """
    # No bytes at all are a valid protobuf message, but never one that somebody meant to send.
    if not value.strip():
        raise FileError(
            f"{path} is empty: check what writes it, an ExportTraceServiceRequest as protobuf or JSON is needed"
        )
    try:
        if value.lstrip()[:1] == b"{":
            return from_json(value)
        return ExportTraceServiceRequest.FromString(value)
    except (DecodeError, ValueError):
        raise FileError(
            f"{path} is not OTLP: an ExportTraceServiceRequest as protobuf or JSON is needed"
        ) from None


def retimed(files: Iterable[OtlpFile], now: int) -> Iterator[OtlpFile]:
    """Move all spans by one time each folder, so that its last one ends at `now` (nanoseconds since the epoch)."""
    by_folder: dict[Path, list[tuple[OtlpFile, ExportTraceServiceRequest]]] = {}
    for file in files:
        by_folder.setdefault(file.path.parent, []).append((file, parse(file.path, file.value)))
    for some in by_folder.values():
        spans = [
            span
            for _, request in some
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        shift = now - max((span.end_time_unix_nano for span in spans), default=now)
        for span in spans:
            span.start_time_unix_nano = max(span.start_time_unix_nano + shift, 0)
            span.end_time_unix_nano = max(span.end_time_unix_nano + shift, 0)
            for event in span.events:
                event.time_unix_nano = max(event.time_unix_nano + shift, 0)
        for file, request in some:
            yield OtlpFile(file.path, request.SerializeToString())
