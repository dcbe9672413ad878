"""The scopes of a request that is JSON, found by its brackets and texts alone: no value is made of anything.

`json.loads` makes 72 bytes of a `{}`: of the 64 MiB that 64 kB of gzip unpack to it would make 1.6 GB, and hold the
interpreter for a minute. Whatever stands inside a span is as valid or not as in a request that is not split.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

from spanloom.receiver.requests.scopes import Bounds, Scope, TooMany
from spanloom.spans.reading.wire.json_shape import DOCUMENT, RESOURCE, SCOPE, Level

T = TypeVar("T")

MOST_STEPS = 1_000_000
"""Objects and lists that hold others, in one request: one every 64 bytes of the largest that is taken."""

_DEEPEST = 900
"""Levels of objects and lists inside a span, a resource or a scope: what reads the spans takes no more than 1,000."""

# Every repetition is possessive, so that none is tried again, and has an end, so that other threads get their turn: a
# match takes milliseconds at most, whatever the text is.
_TEXT = rb"\"(?:[^\"\\]{1,1024}+|\\.){0,64}+\""
_REST = rb"[^\"{}\[\]]{1,1024}+"
_FLAT = rb"(?:" + _REST + rb"|" + _TEXT + rb"){0,16}+"
_BETWEEN = re.compile(
    rb"(?:" + _REST + rb"|" + _TEXT + rb"|\{" + _FLAT + rb"\}|\[" + _FLAT + rb"\]){0,64}+", re.DOTALL
)
"""Up to the next bracket that has others inside, or to a long text."""

_INSIDE_TEXT = re.compile(rb"(?:[^\"\\]{1,65536}+|\\.){0,64}+", re.DOTALL)
_SPACE = re.compile(rb"[ \t\n\r]*+")
_NUMBER_OR_WORD = re.compile(rb"[-+.0-9A-Za-z]++")

_BEGINNING = 1 << 16
"""Bytes in which the first scope of a resource is looked for, behind its attributes, and in that the first span."""

_RESOURCE_LIST, _SCOPE_LIST, _SPAN_LIST = (
    re.compile(before + rb"\"(?:" + "|".join(level.names).encode() + rb")\"\s*+:\s*+\[\s*+\{")
    for before, level in ((rb"\s*+\{\s*+", DOCUMENT), (b"", RESOURCE), (b"", SCOPE))
)

_CLOSING = {ord("{"): ord("}"), ord("["): ord("]")}
_QUOTE, _COLON, _COMMA, _OPEN, _CLOSE, _LIST, _END = b'":,{}[]'


def json_scopes(body: bytes) -> Iterator[Scope]:
    """Return the scopes that have spans, in their order.

    Raises:
        TooMany: see there; also where there are too many objects and lists.
        ValueError: it is not JSON; or it holds no spans, but something else in their place; a sentence.
    """
    try:
        return _Scanner(body).request()
    except IndexError:
        raise ValueError("The request is not valid JSON.") from None


def begins_with_spans(body: bytes) -> bool:
    """Whether JSON begins as nearly all do: with a resource, and soon a scope with a span. Where not, it may be no less
    valid: `json_scopes` tells."""
    if _RESOURCE_LIST.match(body) is None:
        return False
    scopes = _SCOPE_LIST.search(body, 0, _BEGINNING)
    return scopes is not None and _SPAN_LIST.search(body, scopes.end(), scopes.end() + _BEGINNING) is not None


class _Scanner:
    """Walks through a body once. A method takes the position at which something begins and returns that behind it.

    Raises:
        IndexError: the text is no JSON.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._bounds = Bounds()
        self._steps = MOST_STEPS
        self._problem = ""

    def request(self) -> Iterator[Scope]:
        position = self._space(0)
        if self._body[position] != _OPEN:
            raise ValueError("The request is JSON, but no ExportTraceServiceRequest.")
        _, scopes, position = self._object(position, DOCUMENT, self._resource_spans)
        if self._space(position) != len(self._body):
            raise IndexError
        if scopes is None:
            raise ValueError(f"The request is JSON, but {DOCUMENT.missing}")
        if self._problem and not any(scopes):
            raise ValueError(f"The request is JSON, but {self._problem}")
        return chain.from_iterable(scopes)

    def _resource_spans(self, position: int) -> tuple[list[Scope], int]:
        resource, scopes, position = self._object(position, RESOURCE, self._scope_spans)
        return [Scope(resource, scope, spans) for scope, spans in scopes or () if spans], position

    def _scope_spans(self, position: int) -> tuple[tuple[bytes, array[int]], int]:
        scope, spans, position = self._object(position, SCOPE, self._span)
        return (scope, array("Q", chain.from_iterable(spans or ()))), position

    def _span(self, position: int) -> tuple[tuple[int, int], int]:
        end = self._value(position)
        return (position, end), end

    def _object(
        self, position: int, level: Level, read: Callable[[int], tuple[T, int]]
    ) -> tuple[bytes, list[T] | None, int]:
        """Read an object: its members as they stand but the lists of this level; the objects in the list that counts,
        as `otlp_json` finds it, None where there is none."""
        body = self._body
        rest: list[bytes] = []
        lists: dict[str, list[T] | None] = {}
        strange = False
        position = self._space(position + 1)
        if body[position] == _CLOSE:
            return b"", None, position + 1
        while True:
            self._bounds.other()
            begin = position
            position = self._text(position)
            name = _name(body[begin:position])
            position = self._space(position)
            if body[position] != _COLON:
                raise IndexError
            position = self._space(position + 1)
            if name in level.names:
                # Of a name that is there twice JSON's readers take the last.
                value = position
                lists[name], position = self._list(position, level, read)
                strange = strange or (lists[name] is None and body[value:position] != b"null")
            else:
                position = self._value(position)
                rest.append(body[begin:position])
                strange = strange or name not in level.beside
            position = self._space(position)
            if body[position] == _CLOSE:
                break
            position = self._behind_comma(position)
        found = [items for name in level.names if (items := lists.get(name)) is not None]
        if strange and not found:
            self._problem = self._problem or level.missing
        return b",".join(rest), next(filter(None, found), found[0] if found else None), position + 1

    def _list(
        self, position: int, level: Level, read: Callable[[int], tuple[T, int]]
    ) -> tuple[list[T] | None, int]:
        """Read the objects in a list; None where it is none."""
        body = self._body
        if body[position] != _LIST:
            return None, self._value(position)
        items: list[T] = []
        count = self._bounds.span if level is SCOPE else self._bounds.other
        position = self._space(position + 1)
        if body[position] == _END:
            return items, position + 1
        while True:
            count()
            if body[position] == _OPEN:
                item, position = read(position)
                items.append(item)
            else:
                position = self._value(position)
                self._problem = self._problem or level.no_object
            position = self._space(position)
            if body[position] == _END:
                return items, position + 1
            position = self._behind_comma(position)

    def _value(self, position: int) -> int:
        """Skip a value."""
        body = self._body
        first = body[position]
        if first == _QUOTE:
            return self._text(position)
        if first not in _CLOSING:
            word = _NUMBER_OR_WORD.match(body, position)
            if word is None:
                raise IndexError
            return word.end()
        opened = [_CLOSING[first]]
        position += 1
        between = _BETWEEN.match
        while opened:
            match = between(body, position)
            assert match is not None, "it may be empty"
            position = match.end()
            byte = body[position]
            if byte == opened[-1]:
                opened.pop()
                position += 1
            elif byte in _CLOSING:
                self._steps -= 1
                if self._steps < 0:
                    raise TooMany(
                        f"The request has more than {MOST_STEPS} objects and lists: send fewer spans at once."
                    )
                if len(opened) == _DEEPEST:
                    raise ValueError("The request is JSON nested too deep.")
                opened.append(_CLOSING[byte])
                position += 1
            elif byte == _QUOTE:
                position = self._text(position)
            elif byte in (_CLOSE, _END):
                raise IndexError
        return position

    def _text(self, position: int) -> int:
        """Skip a text."""
        body = self._body
        if body[position] != _QUOTE:
            raise IndexError
        position += 1
        while body[position] != _QUOTE:
            match = _INSIDE_TEXT.match(body, position)
            assert match is not None, "it may be empty"
            if match.end() == position:
                raise IndexError  # a backslash at the end
            position = match.end()
        return position + 1

    def _space(self, position: int) -> int:
        match = _SPACE.match(self._body, position)
        assert match is not None, "it may be empty"
        return match.end()

    def _behind_comma(self, position: int) -> int:
        if self._body[position] != _COMMA:
            raise IndexError
        return self._space(position + 1)


def _name(text: bytes) -> str:
    if b"\\" not in text:
        return text[1:-1].decode("utf-8", "replace")
    try:
        return str(json.loads(text.decode("utf-8", "replace"), strict=False))
    except ValueError:
        raise IndexError from None
