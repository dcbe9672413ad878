"""The frames of protobuf, without what they hold (https://protobuf.dev/programming-guides/encoding/)."""

from __future__ import annotations

from collections.abc import Iterator

LENGTH_DELIMITED = 2
"""The wire type of texts, bytes and messages."""

_VARINT, _FIXED64, _FIXED32 = 0, 1, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}

Bytes = bytes | memoryview


def varint(body: Bytes, position: int) -> tuple[int, int]:
    """Return the number that stands at a position, and the position behind it.

    Raises:
        IndexError: there is none.
    """
    value = shift = 0
    while shift < 64:
        byte = body[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise IndexError


def tag(body: Bytes, position: int) -> tuple[int, int, int]:
    """Return the field number and wire type that stand at a position, and the position behind them.

    Raises:
        IndexError: there is no tag.
    """
    value, position = varint(body, position)
    if not 0 < value >> 3 < 1 << 29:
        raise IndexError
    return value >> 3, value & 7, position


def fields(message: Bytes, whole_unless: int | None = None) -> Iterator[tuple[int, memoryview]]:
    """Go through the fields of a message.

    Args:
        message: its bytes.
        whole_unless: of the fields with this number only what they hold is returned, of others the tag and length
            too; None: of all only what they hold, and those that are not length-delimited are left out.

    Raises:
        IndexError: the message is cut off, or is none.
    """
    view = memoryview(message)
    position = 0
    while position < len(view):
        start = position
        number, kind, position = tag(view, position)
        content = position
        if kind == LENGTH_DELIMITED:
            length, content = varint(view, position)
            position = content + length
        elif kind == _VARINT:
            _, position = varint(view, position)
        elif kind in _FIXED:
            position += _FIXED[kind]
        else:
            raise IndexError  # groups: nobody writes them
        if position > len(view):
            raise IndexError
        is_inside = kind == LENGTH_DELIMITED and whole_unless in (number, None)
        if is_inside:
            yield number, view[content:position]
        elif whole_unless is not None:
            # As 0, which no field has: a field of that number, but of another type, is something else.
            yield 0, view[start:position]


def framed(number: int, content: Bytes) -> tuple[bytes, Bytes]:
    """Return a length-delimited field in two pieces: its tag and length, and what it holds."""
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(content)), content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
