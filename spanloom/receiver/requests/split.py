"""A request that is larger than the topic takes, split by span.

Nothing is encoded anew: of protobuf only the frames around the spans are read, through protobuf types whose spans are
bytes, and every span, resource and scope is copied byte for byte, whatever it holds. JSON is read and written again,
with all its members.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from spanloom.receiver.requests.envelope import JSON
from spanloom.schemas.otlp_pb2 import UndecodedRequest, UndecodedScopeSpans

_FRAMES = 64
"""Bytes that are put around the spans of one Kafka message at most: tags, lengths, brackets."""

_SPAN_FRAME = 12
"""Bytes that are put around one span at most."""


@dataclass(frozen=True, slots=True)
class Split:
    """A request in several Kafka messages, encoded as it was."""

    messages: tuple[bytes, ...]
    """Each no larger than asked for."""
    rejected: int
    """Spans that are too large by themselves, or whose resource and scope are."""


@dataclass(frozen=True, slots=True)
class _Shell:
    """What stands around spans: it is repeated in every message that has some of them."""

    size: int
    """Bytes, all but the frames."""
    around: Callable[[list[bytes]], bytes]
    """Returns these spans in their scope and resource: one of the parts that make up a message."""


def split(body: bytes, content_type: str, limit: int) -> Split:
    """Split a request by span, in their order. Every message repeats the resource and scope of its spans.

    All messages together take at most four times the bytes of the request: a resource that fills half of a
    message is too large to be repeated.

    Args:
        body: the request.
        content_type: envelope.JSON or envelope.PROTOBUF.
        limit: bytes of a Kafka message at most.

    Raises:
        ValueError: the body is no request; a sentence.
    """
    is_json = content_type == JSON
    filler = _Filler(limit, _json_message if is_json else b"".join)
    for shell, spans in _json_parts(body) if is_json else _protobuf_parts(body):
        filler.add(shell, spans)
    filler.close()
    if not filler.messages and not filler.rejected:
        raise ValueError("The request is too large for one that holds no spans.")
    return Split(tuple(filler.messages), filler.rejected)


class _Filler:
    """Fills message after message."""

    def __init__(self, limit: int, joined: Callable[[list[bytes]], bytes]) -> None:
        self.messages: list[bytes] = []
        self.rejected = 0
        self._limit = limit
        self._joined = joined
        self._parts: list[bytes] = []
        self._left = limit

    def add(self, shell: _Shell, spans: Iterable[bytes]) -> None:
        """Add spans that have a shell in common."""
        around = shell.size + _FRAMES
        batch: list[bytes] = []
        for span in spans:
            size = len(span) + _SPAN_FRAME
            if shell.size > self._limit // 2 or around + size > self._limit:
                self.rejected += 1
                continue
            if size + (0 if batch else around) > self._left:
                self._put(shell, batch)
                self.close()
                batch = []
            self._left -= size + (0 if batch else around)
            batch.append(span)
        self._put(shell, batch)

    def close(self) -> None:
        """End the message at hand."""
        if self._parts:
            self.messages.append(self._joined(self._parts))
        self._parts = []
        self._left = self._limit

    def _put(self, shell: _Shell, batch: list[bytes]) -> None:
        if batch:
            self._parts.append(shell.around(batch))


def _protobuf_parts(body: bytes) -> Iterator[tuple[_Shell, Iterable[bytes]]]:
    """The scopes of a request that have spans, each with them."""
    try:
        request = UndecodedRequest.FromString(body)
    except DecodeError:
        raise ValueError("The request is not a protobuf ExportTraceServiceRequest.") from None
    for resource_spans in request.resource_spans:
        scopes = [_opened(scope_spans) for scope_spans in resource_spans.scope_spans if scope_spans.spans]
        if scopes:
            resource_spans.ClearField("scope_spans")
            resource = resource_spans.SerializeToString()
            for scope, spans in scopes:
                yield _protobuf_shell(resource, scope), spans


def _opened(scope_spans: UndecodedScopeSpans) -> tuple[bytes, list[bytes]]:
    """The spans of a scope, and all else that it holds, which is left in it."""
    spans = list(scope_spans.spans)
    scope_spans.ClearField("spans")
    return scope_spans.SerializeToString(), spans


def _protobuf_shell(resource: bytes, scope: bytes) -> _Shell:
    def around(spans: list[bytes]) -> bytes:
        request = UndecodedRequest()
        resource_spans = request.resource_spans.add()
        resource_spans.MergeFromString(resource)
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.MergeFromString(scope)
        scope_spans.spans.extend(spans)
        return request.SerializeToString()

    return _Shell(len(resource) + len(scope), around)


def _json_parts(body: bytes) -> Iterator[tuple[_Shell, Iterable[bytes]]]:
    try:
        document = json.loads(body.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("The request is JSON nested too deep.") from None
    except ValueError:
        raise ValueError("The request is not valid JSON.") from None
    for resource_spans in _list(document, "resourceSpans", "resource_spans"):
        resource, scopes = _without(resource_spans, "scopeSpans", "scope_spans")
        for scope_spans in scopes:
            scope, spans = _without(scope_spans, "spans")
            yield _json_shell(resource, scope), map(_dumped, spans)


def _json_shell(resource: dict[str, Any], scope: dict[str, Any]) -> _Shell:
    before = _open(resource) + b'"scopeSpans":[' + _open(scope) + b'"spans":['

    def around(spans: list[bytes]) -> bytes:
        return b"".join((before, b",".join(spans), b"]}]}"))

    return _Shell(len(before), around)


def _json_message(parts: list[bytes]) -> bytes:
    return b'{"resourceSpans":[' + b",".join(parts) + b"]}"


def _open(members: dict[str, Any]) -> bytes:
    """An object that further members follow in."""
    text = _dumped(members)[:-1]
    return text + b"," if members else text


def _dumped(value: object) -> bytes:
    # A lone surrogate, which UTF-8 can't hold, becomes the escape that JSON has for it.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _list(members: object, *names: str) -> list[Any]:
    """The objects of a list that is a member by the first of these names, as `otlp_json` finds them."""
    if not isinstance(members, dict):
        return []
    found = next((members[name] for name in names if name in members), None)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _without(members: dict[str, Any], *names: str) -> tuple[dict[str, Any], list[Any]]:
    rest = {name: value for name, value in members.items() if name not in names}
    return rest, _list(members, *names)
