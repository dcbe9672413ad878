"""A request that is larger than the topic takes, split by span.

Nothing is encoded anew: only the frames around the spans are read, and every span, resource and scope is copied byte
for byte, whatever it holds. First it is planned where each span goes, which needs little memory, so that the messages
can be accounted for before they are made.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spanloom.receiver.requests.envelope import JSON
from spanloom.receiver.requests.json_scopes import json_scopes
from spanloom.receiver.requests.protobuf_scopes import protobuf_scopes
from spanloom.receiver.requests.scopes import Scope

_FRAME = 20
"""Bytes that are put around the resources of a message, around the scopes of a resource, or around the spans of a
scope, at most: tags, lengths, brackets, a comma."""

_SPAN_FRAME = 12
"""Bytes that are put around one span at most."""


@dataclass(frozen=True, slots=True)
class Split:
    """A request in several Kafka messages, encoded as it was; they are not made yet."""

    size: int
    """Bytes of all messages together at most."""
    rejected: int
    """Spans that are too large by themselves, or whose resource and scope are."""
    messages: Callable[[], tuple[bytes, ...]]
    """Makes them, each no larger than asked for."""


def split(body: bytes, content_type: str, limit: int) -> Split:
    """Split a request by span, in their order. Every message repeats the resources and scopes of its spans.

    All messages together take at most four times the bytes of the request: a resource that fills half of a
    message is too large to be repeated.

    Args:
        body: the request.
        content_type: envelope.JSON or envelope.PROTOBUF.
        limit: bytes of a Kafka message at most.

    Raises:
        TooMany: there is more in it than is looked at; a sentence.
        ValueError: the body is no request; a sentence.
    """
    is_json = content_type == JSON
    planner = _Planner(limit)
    for scope in (json_scopes if is_json else protobuf_scopes)(body):
        planner.add(scope)
    planner.close()
    if not planner.messages and not planner.rejected:
        raise ValueError("The request is too large for one that holds no spans.")
    encoded = _json if is_json else _protobuf
    return Split(
        planner.size, planner.rejected, lambda: tuple(encoded(body, message) for message in planner.messages)
    )


class _Planner:
    """Fills message after message. In each, all scopes of one resource stand in it together."""

    def __init__(self, limit: int) -> None:
        self.messages: list[list[list[Scope]]] = []
        """Messages, of resources, of scopes."""
        self.rejected = 0
        self.size = 0
        self._limit = limit
        self._begin()

    def _begin(self) -> None:
        self._resources: list[list[Scope]] = []
        self._left = self._limit - _FRAME

    def add(self, scope: Scope) -> None:
        """Add the spans of a scope."""
        around = len(scope.resource) + len(scope.scope)
        opened = None
        for index in range(0, len(scope.spans), 2):
            begin, end = scope.spans[index : index + 2]
            size = end - begin + _SPAN_FRAME
            if around > self._limit // 2 or around + size + 3 * _FRAME > self._limit:
                self.rejected += 1
                continue
            needed = size if opened is not None else size + self._opening(scope)
            if needed > self._left:
                self.close()
                opened = None
                needed = size + self._opening(scope)
            if opened is None:
                opened = self._open(scope)
            self._left -= needed
            opened.append(begin)
            opened.append(end)

    def close(self) -> None:
        """End the message at hand."""
        if self._resources:
            self.messages.append(self._resources)
            self.size += self._limit - self._left
        self._begin()

    def _shared(self, scope: Scope) -> bool:
        return bool(self._resources) and self._resources[-1][0].resource is scope.resource

    def _opening(self, scope: Scope) -> int:
        """Bytes that a scope takes in the message at hand, without spans."""
        resource = 0 if self._shared(scope) else len(scope.resource) + _FRAME
        return resource + len(scope.scope) + _FRAME

    def _open(self, scope: Scope) -> array[int]:
        opened = Scope(scope.resource, scope.scope)
        if self._shared(scope):
            self._resources[-1].append(opened)
        else:
            self._resources.append([opened])
        return opened.spans


def _spans(body: bytes, scope: Scope) -> Iterator[bytes]:
    return (body[scope.spans[i] : scope.spans[i + 1]] for i in range(0, len(scope.spans), 2))


def _json(body: bytes, message: list[list[Scope]]) -> bytes:
    resources = []
    for scopes in message:
        parts = [
            _open(scope.scope) + b'"spans":[' + b",".join(_spans(body, scope)) + b"]}" for scope in scopes
        ]
        resources.append(_open(scopes[0].resource) + b'"scopeSpans":[' + b",".join(parts) + b"]}")
    return b'{"resourceSpans":[' + b",".join(resources) + b"]}"


def _open(members: bytes) -> bytes:
    """An object that further members follow in."""
    return b"{" + members + b"," if members else b"{"


def _protobuf(body: bytes, message: list[list[Scope]]) -> bytes:
    parts: list[bytes] = []
    for scopes in message:
        inside = [scopes[0].resource]
        for scope in scopes:
            spans: list[bytes] = [scope.scope]
            for span in _spans(body, scope):
                spans += (b"\x12", _varint(len(span)), span)
            inside += (b"\x12", _varint(sum(map(len, spans))), *spans)
        parts += (b"\x0a", _varint(sum(map(len, inside))), *inside)
    return b"".join(parts)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
