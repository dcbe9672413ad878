"""Attribute values as text, by the rules of OpenTelemetry.

A string stays as it is; booleans are `true` and `false`; numbers are JSON numbers, arrays and maps JSON,
bytes base64, and an absent value is the empty text
(https://opentelemetry.io/docs/specs/otel/common/#anyvalue). Bytes that are no UTF-8 become U+FFFD; a value
that can't be decoded is shown as base64 of its bytes.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable

from google.protobuf.message import DecodeError
from pydantic_core import to_json

from spanloom.schemas import otlp_pb2

MAX_NESTING = 128
"""The most that `Limits.nesting` may be, because reading a level is a recursive call; OTLP JSON is read to the same
depth."""

_STRING = 0x0A
"""The first byte of an AnyValue that is a string: field 1, length-delimited."""

_INTEGER = 0x18
"""The first byte of an AnyValue that is an integer: field 3, varint."""

_BITS = (1 << 64) - 1
_SIGN = 1 << 63
"""An integer is a varint of 64 bits in two's complement; this is the bit of its sign."""

_LONG = 1024
"""Above this many bytes a view is cheaper than a copy."""


def length_at(raw: bytes, position: int) -> tuple[int, int]:
    """The varint at a position, and the position behind it; raises IndexError where the bytes end too
    early."""
    byte = raw[position]
    if byte < 128:
        return byte, position + 1
    value = byte & 127
    shift = 7
    while True:
        position += 1
        byte = raw[position]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position + 1
        shift += 7
        if shift > 63:
            raise IndexError("varint too long")


def text_of(raw: bytes, start: int, nesting: int) -> str:
    """The text of the AnyValue whose bytes are `raw` from `start` on.

    `nesting`: this many levels of arrays and maps are read; what lies deeper is shown as base64 of its bytes.
    """
    end = len(raw)
    if end > start + 1:
        # Strings and integers, with nothing behind them, are spelled out.
        kind = raw[start]
        if kind in (_STRING, _INTEGER):
            try:
                number, position = length_at(raw, start + 1)
            except IndexError:
                position = number = end + 1
            if kind == _INTEGER:
                if position == end:
                    return str((number & _BITS ^ _SIGN) - _SIGN)
            elif position + number == end:
                if number > _LONG:
                    return str(memoryview(raw)[position:], "utf-8", "replace")
                return raw[position:].decode("utf-8", "replace")
    value = _python_value(raw[start:], nesting)
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def json_text(value: object) -> str:
    """JSON of a value made of lists, dicts, texts, numbers, booleans and None; valid as `valid_text` is."""
    if _without_floats(value):
        try:
            # Four times as fast as `json`, but it refuses lone surrogates and deep nesting.
            return str(to_json(value), "utf-8")
        except ValueError:
            pass
    return valid_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _without_floats(value: object) -> bool:
    """Floats are the one thing that `to_json` spells in another way: 0.00001 where `json` writes 1e-05."""
    members: Iterable[object]
    if isinstance(value, dict):
        members = value.values()
    elif isinstance(value, list):
        members = value
    else:
        return not isinstance(value, float)
    for member in members:  # noqa: SIM110  (a generator takes twice as long)
        # Nearly all members are texts: those are not worth a call.
        if type(member) is not str and not _without_floats(member):
            return False
    return True


def _python_value(raw: bytes, levels: int) -> object:
    """The value as JSON knows it: None, bool, int, float, str, list or dict; `levels` levels below it are read."""
    if levels < 0:
        return base64_text(raw)
    try:
        value = otlp_pb2.AnyValue.FromString(raw)
    except DecodeError:
        return base64_text(raw)
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value.decode("utf-8", "replace")
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return _number(value.double_value)
        # What is inside is a copy. Nothing else may hold it while it is read, or a large value that is nested deep is
        # held once a level.
        case "array_value":
            items = value.array_value.values[::-1]
            del value, raw
            return [_python_value(items.pop(), levels - 1) for _ in range(len(items))]
        case "kvlist_value":
            keys = [entry.key.decode("utf-8", "replace") for entry in value.kvlist_value.values]
            items = [entry.value for entry in value.kvlist_value.values][::-1]
            del value, raw
            return {key: _python_value(items.pop(), levels - 1) for key in keys}
        case "bytes_value":
            return base64_text(value.bytes_value)
        case _:
            return None


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity; OpenTelemetry writes their names."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def base64_text(raw: bytes) -> str:
    """How bytes are shown."""
    return b64encode(raw).decode("ascii")


def valid_text(text: str) -> str:
    """The text without lone surrogates, which JSON can spell (`"\\ud800"`) and UTF-8 can't."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
