"""Native answers for clients that name a newer protocol revision (`client_protocol_version`).

chDB writes Native at revision 0. Go clients, Grafana's among them, read what they asked for without looking:
at revision 54454 and up, each block starts with a block info, and each column has one byte more for
how it is serialized. Where that byte goes can be known only by measuring the column, so its bytes are walked
here. Clients that check what they got (clickhouse-connect asks for 54405) get revision 0 unchanged, which
costs nothing.

Grafana needs it: its ClickHouse plugin is clickhouse-go, over HTTP, which asks for a newer revision with every
query and can't be configured otherwise. Without this file its version 2.51 does not even connect ("failed to query
server hello … unexpected EOF"). chDB has no setting for the revision.

The layout is that of https://clickhouse.com/docs/native-protocol/columns.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

# DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION
_CUSTOM_SERIALIZATION = 54454

# Field 1: overflow rows, no; field 2: bucket of a two-level aggregation, none; 0: end.
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_DEFAULT_SERIALIZATION = b"\x00"

_ALIASES = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "MultiLineString": "Array(LineString)",
    "Polygon": "Array(Ring)",
    "MultiPolygon": "Array(Polygon)",
}

_WIDTHS = (
    dict.fromkeys(("UInt8", "Int8", "Bool", "Enum8", "Nothing"), 1)
    | dict.fromkeys(("UInt16", "Int16", "Enum16", "Date", "BFloat16"), 2)
    | dict.fromkeys(("UInt32", "Int32", "Float32", "Date32", "DateTime", "IPv4", "Time", "Decimal32"), 4)
    | dict.fromkeys(("UInt64", "Int64", "Float64", "DateTime64", "Time64", "Decimal64"), 8)
    | dict.fromkeys(("UInt128", "Int128", "UUID", "IPv6", "Decimal128"), 16)
    | dict.fromkeys(("UInt256", "Int256", "Decimal256"), 32)
)

# Bytes of a LowCardinality index, by the low byte of its flags.
_INDEX_WIDTHS = (1, 2, 4, 8)

_TYPE = re.compile(r"(\w+)(?:\((.*)\))?\Z", re.DOTALL)

# (bytes, position, rows) → position behind them
Walk = Callable[[bytes, int, int], int]


class UnknownNativeType(ValueError):
    """A column whose size can't be determined; the message names its type."""


def at_revision(data: bytes, revision: int) -> bytes:
    """Native blocks of revision 0, as a client of `revision` reads them. Raises `UnknownNativeType`."""
    if revision < _CUSTOM_SERIALIZATION:
        return data
    out = bytearray()
    at = 0
    while at < len(data):
        start = at
        columns, at = _varint(data, at)
        rows, at = _varint(data, at)
        out += _BLOCK_INFO + data[start:at]
        for _ in range(columns):
            start = at
            _, at = _text(data, at)
            type_name, at = _text(data, at)
            out += data[start:at] + _DEFAULT_SERIALIZATION
            start = at
            if rows:
                prefix, walk = _walker(type_name)
                at = walk(data, at + prefix, rows)
            out += data[start:at]
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _text(data: bytes, at: int) -> tuple[str, int]:
    size, at = _varint(data, at)
    return data[at : at + size].decode(), at + size


def _walker(type_name: str) -> tuple[int, Walk]:
    """How many bytes stand before a column's data, and how to walk the data."""
    name, inner = _split(_ALIASES.get(type_name, type_name))
    if name in _WIDTHS:
        return 0, _fixed(_WIDTHS[name])
    if name.startswith("Interval"):
        return 0, _fixed(8)
    if name == "Decimal":
        digits = int(inner[0])
        return 0, _fixed(4 if digits <= 9 else 8 if digits <= 18 else 16 if digits <= 38 else 32)
    if name == "FixedString":
        return 0, _fixed(int(inner[0]))
    if name == "String":
        return 0, _strings
    if name == "SimpleAggregateFunction":
        return _walker(inner[-1])
    if name == "Nullable":
        prefix, values = _walker(inner[0])
        return prefix, lambda data, at, rows: values(data, at + rows, rows)
    if name == "LowCardinality":
        _, keys = _walker(inner[0].removeprefix("Nullable(").removesuffix(")"))
        return 8, _low_cardinality(keys)
    if name in ("Array", "Map", "Nested"):
        prefix, values = _walker(inner[0]) if name == "Array" else _tuple(inner)
        return prefix, _array(values)
    if name == "Tuple" and inner:
        return _tuple(inner)
    raise UnknownNativeType(f"type {type_name} can't be sent to a client of this protocol revision")


def _split(type_name: str) -> tuple[str, list[str]]:
    """`Map(String, Array(Int8))` as its name and its arguments."""
    match = _TYPE.match(type_name.strip())
    if match is None:
        raise UnknownNativeType(f"type {type_name} is not understood")
    arguments, depth, quoted, start = [], 0, False, 0
    text = match.group(2) or ""
    for i, character in enumerate(text):
        if character in "'`" and text[i - 1 : i] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth == 0:
            arguments.append(text[start:i].strip())
            start = i + 1
    return match.group(1), [*arguments, text[start:].strip()] if text else []


def _fixed(width: int) -> Walk:
    return lambda _, at, rows: at + width * rows


def _strings(data: bytes, at: int, rows: int) -> int:
    for _ in range(rows):
        size = data[at]
        at += 1
        if size >= 0x80:
            size, at = _varint(data, at - 1)
        at += size
    return at


def _low_cardinality(keys: Walk) -> Walk:
    def walk(data: bytes, at: int, rows: int) -> int:
        if not rows:
            return at
        flags, count = struct.unpack_from("<QQ", data, at)
        at = keys(data, at + 16, count)
        return at + 8 + _INDEX_WIDTHS[flags & 0xFF] * rows

    return walk


def _array(values: Walk) -> Walk:
    def walk(data: bytes, at: int, rows: int) -> int:
        if not rows:
            return at
        at += 8 * rows
        (total,) = struct.unpack_from("<Q", data, at - 8)
        return values(data, at, total)

    return walk


def _tuple(elements: list[str]) -> tuple[int, Walk]:
    """Elements may be named: `Tuple(a UInt8, b String)`."""
    walkers = [_walker(re.sub(r"^(?:`(?:[^`\\]|\\.)*`|\w+) (?=\w)", "", element)) for element in elements]

    def walk(data: bytes, at: int, rows: int) -> int:
        for _, values in walkers:
            at = values(data, at, rows)
        return at

    return sum(prefix for prefix, _ in walkers), walk
