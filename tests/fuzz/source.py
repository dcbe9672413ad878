"""Hostile requests out of a fuzzer's bytes: each byte decides something, so that coverage can lead the way."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fuzz.words import EVENTS, KEYS, MEMBERS, NUMBERS, PREFIXES, RESTS, TIMES, WORDS
from tests.spans.reading.otlp_examples import key_values

_T = TypeVar("_T")
_DEEPEST = 6


class Source:
    """Reads decisions from bytes; zeros once they are used up, so that everything ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def byte(self) -> int:
        """The next byte."""
        self._position += 1
        return self._data[self._position - 1] if self._position <= len(self._data) else 0

    def pick(self, choices: Sequence[_T]) -> _T:
        """One of at most 65,536 choices."""
        number = self.byte() if len(choices) <= 256 else self.byte() << 8 | self.byte()
        return choices[number % len(choices)]

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        self._position += size
        return self._data[self._position - size : self._position]

    def text(self) -> str:
        """A word, a number, or what the bytes spell."""
        kind = self.byte() % 4
        if kind == 0:
            return self.pick(WORDS)
        if kind == 1:
            return self.pick(NUMBERS)
        return self.take(self.byte() % 40).decode("utf-8", "ignore") * (1 if kind == 2 else 400)


def request(data: bytes) -> bytes:
    """A request of one or two resources."""
    source = Source(data)
    message = ExportTraceServiceRequest()
    for _ in range(source.byte() % 2 + 1):
        resource = message.resource_spans.add()
        resource.resource.attributes.extend(key_values(_members(source, ("service.name", "n"), 1)))
        scope = resource.scope_spans.add()
        scope.spans.extend(_span(source) for _ in range(source.byte() % 4))
    return message.SerializeToString()


def _span(source: Source) -> Span:
    span = Span(
        trace_id=source.pick([b"t" * 16, b"t" * 16, b"u" * 16, bytes(16)]),
        span_id=bytes([0] * 7 + [source.byte() % 5]),
        parent_span_id=source.pick([b"", *(bytes([0] * 7 + [n]) for n in range(6)), b"x"]),
        name=source.text(),
        start_time_unix_nano=source.pick(TIMES),
        end_time_unix_nano=source.pick(TIMES),
        flags=source.byte() << 4,
        attributes=key_values({_key(source): _value(source, 0) for _ in range(source.byte() % 10)}),
    )
    if source.byte() % 4 == 0:
        span.status.code = source.byte() % 5  # type: ignore[assignment]
        span.status.message = source.text()
    for _ in range(source.byte() % 3):
        event = span.events.add(name=source.pick(EVENTS), time_unix_nano=source.pick(TIMES))
        event.attributes.extend(key_values(_members(source, MEMBERS, 0)))
    return span


def _key(source: Source) -> str:
    kind = source.byte() % 4
    if kind < 2:
        return source.pick(KEYS)
    rest = source.text() if kind == 2 else f"{source.byte() % 12}.{source.pick(RESTS)}"
    return source.pick(PREFIXES) + rest


def _value(source: Source, depth: int) -> Any:
    kind = source.byte() % (13 if depth < _DEEPEST else 7)
    match kind:
        case 0:
            return source.text()
        case 1:
            return int.from_bytes(source.take(8), signed=True)
        case 2:
            return source.pick([0.0, -0.0, 1e-7, 1e300, math.nan, math.inf, -1.0, 5.0, 0.1])
        case 3:
            return source.byte() % 2 == 0
        case 4:
            return None
        case 5:
            return source.take(source.byte() % 20)
        case 6:
            return source.pick(NUMBERS)
        case 7:
            return [_value(source, depth + 1) for _ in range(source.byte() % 4)]
        case 8:
            return _members(source, MEMBERS, depth)
        case _:
            return json_text(source)


def _members(source: Source, names: Sequence[str], depth: int) -> dict[str, Any]:
    return {source.pick(names): _value(source, depth + 1) for _ in range(source.byte() % 4)}


def json_text(source: Source) -> str:
    """JSON of messages or usage, some of it cut, nested deep or with half a surrogate."""
    text = json.dumps(_json(source, 0))
    match source.byte() % 8:
        case 1:
            return text[: source.byte() % (len(text) + 1)]
        case 2:
            depth = source.pick([8, 100, 199, 201, 990, 5000])
            return "[" * depth + text + "]" * depth
        case 3:
            return '["\\ud800",' + text + "]"
        case _:
            return text


def _json(source: Source, depth: int) -> Any:
    kind = source.byte() % (10 if depth < _DEEPEST else 5)
    match kind:
        case 0:
            return source.text()
        case 1:
            return source.pick([0, 5, -1, 2**63, 10**400, 0.5, math.nan, math.inf, -0.0])
        case 2:
            return None
        case 3:
            return source.byte() % 2 == 0
        case 4:
            return source.pick(WORDS)
        case 5 | 6:
            return [_json(source, depth + 1) for _ in range(source.byte() % 5)]
        case _:
            return {source.pick(MEMBERS): _json(source, depth + 1) for _ in range(source.byte() % 5)}
