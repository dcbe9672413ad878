"""OTLP files: finding them, and reading the messages in them one by one, so that a file may be larger than memory.

A file holds one message, protobuf or JSON; or many, one a line as JSON, or as protobuf with its length before each, as
the Collector's file exporter writes them. It may be packed with gzip. What it is, its first bytes tell.
"""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain, count
from pathlib import Path
from typing import TypeAlias, cast

from spanloom.schemas.otlp_pb2 import ExportTraceServiceRequest
from spanloom.spans.reading.wire.json_shape import Shape
from spanloom.spans.reading.wire.otlp_json import NOT_JSON, checked_json
from spanloom.spans.reading.wire.request import Request, read_request

LONGEST = 32 << 20
"""Bytes of one message at most: three times what a topic of spanloom's takes."""

_NAMES = tuple(name + packed for name in (".pb", ".json", ".jsonl", ".ndjson") for packed in ("", ".gz"))
"""How the names of files end that are looked for in folders."""

NOTHING = "no .pb or .json file with OTLP spans is there: name a file or a folder that holds some"

_NEEDED = "an ExportTraceServiceRequest as protobuf or JSON is needed"
_HEAD, _GZIP, _LENGTH = 1 << 16, b"\x1f\x8b", 4
_ANY_NUMBER = sys.maxsize

_JSON = re.compile(rb"\s*+\{\s*+(?:\"[^\x00-\x1f]|\})")
"""How JSON begins; protobuf can begin with a line feed and a brace, too, but no text of JSON with a line feed."""


Source: TypeAlias = BufferedReader | gzip.GzipFile


class FileError(Exception):
    """A file can't be sent; the message says which and why."""


@dataclass(frozen=True, slots=True)
class FileMessage:
    """An OTLP message as it stands in a file, protobuf or JSON."""

    path: Path
    value: bytes
    place: str = ""
    """Which message of the file, `line 3` or `message 3`; empty where the file is one message."""

    @property
    def where(self) -> str:
        """The file, and which message of it."""
        return f"{self.path}, {self.place}," if self.place else str(self.path)


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is not read of the files, and why."""

    where: str
    reason: str
    """What follows `where` in a sentence."""
    harmless: bool = False
    """Nobody has named it, and it looks like something else: JSON without spans in a folder."""

    def __str__(self) -> str:
        return f"{self.where} {self.reason}"


def messages(
    paths: Iterable[Path], standard_input: BufferedReader | None = None
) -> Iterator[FileMessage | Skipped]:
    """Yield the messages of files, of all OTLP files in folders, and of `-`, standard input; and what is skipped.

    One message at a time is in memory. Nothing is raised: what can't be read is `Skipped`, and the next follows.
    """
    for path in paths:
        if str(path) == "-":
            yield from _read(
                Path("standard input"),
                standard_input or cast(BufferedReader, sys.stdin.buffer),
                in_folder=False,
            )
        elif path.is_dir():
            # A pipe would wait for somebody to write.
            inside = [
                file for file in sorted(path.rglob("*")) if file.name.endswith(_NAMES) and file.is_file()
            ]
            for file in inside:
                yield from _open(file, in_folder=True)
            if not inside:
                yield Skipped(
                    str(path), "holds no .pb, .json or .jsonl file: name a file or a folder that holds some"
                )
        else:
            yield from _open(path, in_folder=False)


def find(paths: Iterable[Path]) -> list[FileMessage]:
    """Return all messages of files, folders and standard input.

    Raises:
        FileError: one can't be read, or there is none.
    """
    found = []
    for each in messages(paths):
        if isinstance(each, FileMessage):
            found.append(each)
        elif not each.harmless:
            raise FileError(str(each))
    if not found:
        raise FileError(NOTHING)
    return found


def parse(value: bytes) -> ExportTraceServiceRequest:
    """Return the request that a message of a file holds; raises ValueError with a sentence where it holds none."""
    return read_request(value, _ANY_NUMBER).request


def _open(path: Path, *, in_folder: bool) -> Iterator[FileMessage | Skipped]:
    try:
        with path.open("rb") as stream:
            yield from _read(path, stream, in_folder=in_folder)
    except OSError as error:
        yield Skipped(str(path), f"can't be read: {error.strerror}")


def _read(path: Path, stream: BufferedReader, *, in_folder: bool) -> Iterator[FileMessage | Skipped]:
    """Yield the messages of a file that is open."""
    source: Source = stream
    try:
        if stream.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
            source = gzip.GzipFile(fileobj=stream)
        head = source.peek(_HEAD)
        if head[:1] == b"{" or _JSON.match(head):
            yield from _json(path, source, in_folder=in_folder)
        elif head[:1] == b"\0":
            yield from _with_lengths(path, source)
        else:
            yield from _whole(path, source, in_folder=in_folder)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield Skipped(str(path), "is damaged: its gzip ends too early, or is none; what came before was read")


def _whole(path: Path, stream: Source, *, in_folder: bool) -> Iterator[FileMessage | Skipped]:
    """A file that is one message of protobuf, or nothing that is known."""
    value = stream.read(LONGEST + 1)
    # Of what is not called protobuf in a folder nobody has said that it is.
    in_folder = in_folder and not path.name.endswith((".pb", ".pb.gz"))
    # No bytes at all are a valid protobuf message, but never one that somebody meant to send.
    if not value.strip():
        yield Skipped(str(path), f"is empty: check what writes it, {_NEEDED}", in_folder)
    else:
        yield _checked(FileMessage(path, value), in_folder=in_folder)


def _with_lengths(path: Path, stream: Source) -> Iterator[FileMessage | Skipped]:
    """Messages, before each its length in four bytes, most significant first: protobuf itself never begins with 0."""
    for number in count(1):
        length = stream.read(_LENGTH)
        if not length:
            return
        size = int.from_bytes(length)
        value = stream.read(min(size, LONGEST + 1))
        if len(length) < _LENGTH or len(value) < size <= LONGEST:
            yield Skipped(f"{path}, message {number},", "is cut off: the file ends in it")
            return
        yield _checked(FileMessage(path, value, f"message {number}"), in_folder=False)
        if size > LONGEST:
            return


def _json(path: Path, stream: Source, *, in_folder: bool) -> Iterator[FileMessage | Skipped]:
    """One JSON document, or one a line."""
    lines = _lines(stream)
    number, first = next(lines)
    if len(first) <= LONGEST and _problem(first) == NOT_JSON:
        # The first line of a document of several, or of many documents the first is broken.
        begun, size = [(number, first)], len(first)
        for number, line in lines:
            begun.append((number, line))
            size += len(line)
            if size > LONGEST:
                break
        whole = b"".join(line for _, line in begun)
        if len(begun) == 1 or (size <= LONGEST and _problem(whole) != NOT_JSON):
            yield _checked(FileMessage(path, whole), in_folder=in_folder)
            return
        lines = chain(begun, lines)
    else:
        second = next(lines, None)
        if second is None:
            yield _checked(FileMessage(path, first), in_folder=in_folder)
            return
        lines = chain([(number, first), second], lines)
    for number, line in lines:
        yield _checked(FileMessage(path, line.rstrip(b"\r\n"), f"line {number}"), in_folder=in_folder)


def _lines(stream: Source) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers; of one that is too long the beginning."""
    for number in count(1):
        line = stream.readline(LONGEST + 1)
        if not line:
            return
        if line.strip() or len(line) > LONGEST:
            yield number, line
        while line and line[-1:] != b"\n":
            line = stream.readline(LONGEST + 1)


def _checked(message: FileMessage, *, in_folder: bool) -> FileMessage | Skipped:
    """The message, or why it is skipped."""
    value = message.value
    if len(value) > LONGEST:
        return Skipped(message.where, f"is longer than {LONGEST:,} bytes: no topic takes such a message")
    problem = _problem(value)
    if not problem:
        return message
    harmless = in_folder and b"resourceSpans" not in value and b"resource_spans" not in value
    return Skipped(
        message.where, f"is not OTLP ({problem[:1].lower()}{problem[1:].rstrip('.')}): {_NEEDED}", harmless
    )


def _problem(value: bytes) -> str:
    """Why a message is not OTLP, a sentence; empty where it is, or a part of it. Of JSON the spans are not read."""
    try:
        found: Request | Shape
        if value[:1] == b"{":
            _, found = checked_json(value)
        else:
            found = read_request(value, _ANY_NUMBER)
    except ValueError as error:
        return str(error)
    return "" if found.spans else found.problem
