"""OTLP protobuf byte by byte, for what no protobuf class writes."""

from __future__ import annotations

from tests.spans.reading.otlp_examples import span


def length_delimited(tag: int, content: bytes) -> bytes:
    size = len(content)
    varint = b""
    while size > 127:
        varint += bytes([size & 127 | 128])
        size >>= 7
    return bytes([tag]) + varint + bytes([size]) + content


def key_value(key: bytes, value: bytes) -> bytes:
    return length_delimited(0x4A, length_delimited(0x0A, key) + length_delimited(0x12, value))


def raw_request(*span_parts: bytes) -> bytes:
    """A request with one valid span and these bytes appended to it."""
    body = span(name="raw").SerializeToString() + b"".join(span_parts)
    return length_delimited(0x0A, length_delimited(0x12, length_delimited(0x12, body)))
