"""Attribute values as text, by the rules of OpenTelemetry.

A string stays as it is; booleans are `true` and `false`; numbers are JSON numbers, arrays and maps JSON, bytes base64,
and an absent value is the empty text (https://opentelemetry.io/docs/specs/otel/common/#anyvalue). Bytes that are
no UTF-8 become U+FFFD, a value that can't be decoded is shown as base64 of its bytes.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from functools import lru_cache

from google.protobuf.message import DecodeError

from schemas import otlp_pb2

STRING = 0x0A
"""The first byte of an AnyValue that is a string: field 1, length-delimited."""

MAX_NESTING = 64
"""Levels of arrays and maps that are read; what lies deeper is shown as base64 of its bytes."""

_SMALL = 256
"""Values up to this many bytes are remembered: booleans, small numbers, short lists come again and again."""


def text_of(raw: bytes) -> str:
    """The text of an AnyValue given as its bytes on the wire."""
    size = len(raw)
    if size > 1 and raw[0] == STRING:
        # A string and nothing else: tag, length, bytes. Lengths of 1, 2 and 3 bytes are spelled out.
        if size < 130:
            if raw[1] == size - 2:
                return raw[2:].decode("utf-8", "replace")
        elif size < 16387:
            if raw[1] & 127 | raw[2] << 7 == size - 3:
                return raw[3:].decode("utf-8", "replace")
        elif raw[1] & 127 | (raw[2] & 127) << 7 | raw[3] << 14 == size - 4:
            return raw[4:].decode("utf-8", "replace")
    if size <= _SMALL:
        return _remembered(raw)
    return _slow_text(raw)


def _slow_text(raw: bytes) -> str:
    value = _python_value(raw, 0)
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


_remembered = lru_cache(maxsize=16_384)(_slow_text)


def json_text(value: object) -> str:
    """JSON of a value made of lists, dicts, texts, numbers, booleans and None."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _python_value(raw: bytes, depth: int) -> object:
    """The value as JSON knows it: None, bool, int, float, str, list or dict."""
    if depth > MAX_NESTING:
        return _base64(raw)
    try:
        value = otlp_pb2.AnyValue.FromString(raw)
    except DecodeError:
        return _base64(raw)
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value.decode("utf-8", "replace")
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return _number(value.double_value)
        case "array_value":
            return [_python_value(item, depth + 1) for item in value.array_value.values]
        case "kvlist_value":
            return {
                entry.key.decode("utf-8", "replace"): _python_value(entry.value, depth + 1)
                for entry in value.kvlist_value.values
            }
        case "bytes_value":
            return _base64(value.bytes_value)
        case _:
            return None


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity; OpenTelemetry writes their names."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _base64(raw: bytes) -> str:
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
