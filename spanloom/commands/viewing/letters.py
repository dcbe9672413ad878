"""Dead letters on the terminal: where each came from and why, and what is in it as far as that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from spanloom.kafka.dead_letters import Letter, project_name
from spanloom.schemas import otlp_pb2
from spanloom.spans.reading.wire.request import Request, read_request
from spanloom.spans.text.values import MAX_NESTING, base64_text, text_of

_SPANS = 100
"""Spans that are shown of one letter."""

_ANY_NUMBER = 1 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def printable(text: str) -> str:
    """A text from outside, on one line, without what could move the cursor."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def written(letter: Letter) -> str:
    """When a letter was written, ISO 8601."""
    try:
        return (_EPOCH + timedelta(milliseconds=letter.time)).isoformat(timespec="milliseconds")
    except OverflowError:
        return ""


def members(letter: Letter) -> dict[str, Any]:
    """A letter without its payload, for a program to read."""
    return {
        "letter": str(letter.place),
        "written": written(letter),
        "reason": letter.reason,
        "topic": letter.topic,
        "partition": letter.source.partition if letter.source else None,
        "offset": letter.source.offset if letter.source else None,
        "project": None if letter.project is None else project_name(letter),
        "bytes": letter.size,
        "cut_from_bytes": letter.cut_from,
    }


def table(letters: Sequence[Letter]) -> RenderableType:
    """A table with one row a letter."""
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("letter", "written", "came from", "project", "bytes", "reason"):
        grid.add_column(name, overflow="fold", justify="right" if name == "bytes" else "left")
    for letter in letters:
        grid.add_row(
            str(letter.place),
            written(letter)[:19].replace("T", " "),
            Text(came_from(letter)),
            Text(printable(project_name(letter))),
            size(letter),
            Text(printable(letter.reason)),
        )
    return grid


def came_from(letter: Letter) -> str:
    """Topic, partition and offset of the record."""
    return f"{printable(letter.topic) or '?'}:{letter.source or '?'}"


def size(letter: Letter) -> str:
    """The bytes of a payload, and of how many they are the first."""
    return f"{letter.size:,}" + ("" if letter.cut_from is None else f" of {letter.cut_from:,}")


def kind(payload: bytes) -> str:
    """What a payload is, without anything of it."""
    request = _request(payload)
    if request is None:
        return "not OTLP"
    form = "JSON" if payload.lstrip()[:1] == b"{" else "protobuf"
    return f"OTLP as {form}, {request.spans:,} {'span' if request.spans == 1 else 'spans'}"


def decoded(payload: bytes) -> dict[str, Any] | None:
    """The spans in a payload with all that they carry, the first of them; None where it is not OTLP."""
    request = _request(payload)
    if request is None:
        return None
    left = _SPANS
    resources = []
    for resource_spans in request.request.resource_spans:
        spans = []
        for scope_spans in resource_spans.scope_spans:
            some = scope_spans.spans[:left]
            left -= len(some)
            spans += [_span(span) for span in some]
        resources.append({"resource": _attributes(resource_spans.resource.attributes), "spans": spans})
        if not left:
            break
    return {"spans": request.spans, "shown": _SPANS - left, "resources": resources}


def _request(payload: bytes) -> Request | None:
    try:
        return read_request(payload, _ANY_NUMBER)
    except ValueError:
        return None


def _span(span: otlp_pb2.Span) -> dict[str, Any]:
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex(),
        "name": span.name.decode(errors="replace"),
        "start_time_unix_nano": span.start_time_unix_nano,
        "end_time_unix_nano": span.end_time_unix_nano,
        "status": {"code": span.status.code, "message": span.status.message.decode(errors="replace")},
        "attributes": _attributes(span.attributes),
        "events": [
            {
                "name": event.name.decode(errors="replace"),
                "time_unix_nano": event.time_unix_nano,
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ],
    }


def _attributes(raws: Sequence[bytes]) -> dict[str, str]:
    found = {}
    for raw in raws:
        try:
            pair = otlp_pb2.KeyValue.FromString(raw)
        except DecodeError:
            found["?"] = base64_text(raw)
        else:
            found[pair.key.decode(errors="replace")] = text_of(pair.value, 0, MAX_NESTING)
    return found
