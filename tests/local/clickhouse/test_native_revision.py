"""Native answers are re-framed for clients of newer protocol revisions, whatever the columns' types."""

from __future__ import annotations

import urllib.parse
import urllib.request

import pytest

from spanloom.local.clickhouse.native_revision import UnknownNativeType, at_revision

pytestmark = pytest.mark.stack

NEWER = 54_460


def native(url: str, sql: str, revision: int) -> bytes:
    query = urllib.parse.urlencode({"default_format": "Native", "client_protocol_version": str(revision)})
    request = urllib.request.Request(f"{url}/?{query}", data=sql.encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def test_a_block_gets_an_info_and_a_column_gets_a_byte() -> None:
    block = b"\x01\x02\x01n\x05UInt8\x07\x08"
    info = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    assert at_revision(block, NEWER) == info + b"\x01\x02\x01n\x05UInt8\x00\x07\x08"
    assert at_revision(block + block, NEWER) == 2 * (info + b"\x01\x02\x01n\x05UInt8\x00\x07\x08")
    assert at_revision(block, 54_405) == block
    assert at_revision(b"", NEWER) == b""


@pytest.mark.parametrize(
    "expression",
    [
        "number",
        "toString(number)",
        "repeat('long', number * 100)",
        "toFixedString('ab', 2)",
        "if(number % 2 = 0, NULL, toString(number))",
        "range(number % 5)",
        "arrayMap(x -> range(x), range(number % 4))",
        "map('k', number, toString(number), 2)",
        "CAST(map('a', ['x', 'y']), 'Map(LowCardinality(String), Array(String))')",
        "toLowCardinality(toString(number))",
        "CAST(if(number % 3 = 0, NULL, toString(number)), 'LowCardinality(Nullable(String))')",
        "arrayMap(x -> toLowCardinality(toString(x)), range(number % 3))",
        "CAST([], 'Array(LowCardinality(String))')",
        "CAST((number, 'x', [1]), 'Tuple(a UInt64, `b c` String, d Array(UInt8))')",
        "(number, (toString(number), NULL))",
        "[CAST((now64(9), 'n', map('k', 'v')), 'Tuple(t DateTime64(9), n String, a Map(String, String))')]",
        "toDate('2026-01-01')",
        "toDateTime('2026-01-01 00:00:00', 'Europe/Berlin')",
        "toDateTime64(number, 9, 'UTC')",
        "toDecimal32(1, 2), toDecimal64(1, 2), toDecimal128(1, 2), toDecimal256(1, 2)",
        "CAST('a,(b)', 'Enum8(\\'a,(b)\\' = 1)')",
        "generateUUIDv4(), toIPv4('127.0.0.1'), toIPv6('::1'), true, toFloat32(1), toInt256(1), NULL",
        "toIntervalDay(number)",
        "(1.0, 2.0)::Point, [(1.0, 2.0)]::Ring",
    ],
)
def test_every_byte_behind_a_column_is_found(local_clickhouse: str, expression: str) -> None:
    sql = f"SELECT {expression}, 'data' AS last, number FROM numbers(300) SETTINGS max_block_size = 100"
    old = native(local_clickhouse, sql, 0)
    new = native(local_clickhouse, sql, NEWER)
    columns = old[0]
    blocks = new.count(b"\x01\x00\x02\xff\xff\xff\xff\x00" + old[:1])
    assert blocks >= 1
    assert len(new) == len(old) + blocks * (8 + columns)
    assert new.count(b"\x04last\x06String\x00\x04") == blocks


def test_a_type_that_cannot_be_measured_is_refused() -> None:
    with pytest.raises(UnknownNativeType, match="Dynamic"):
        at_revision(b"\x01\x01\x01d\x07Dynamic\x00", NEWER)
