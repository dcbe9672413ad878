"""JSON that is made to take memory is told from JSON that is merely made of small things."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.reading.wire.json_bombs import is_bomb
from tests.spans.reading.otlp_examples import SPAN_ID, TRACE_ID, read

MANY = 120_000


def message(values: str) -> bytes:
    """A message of one span whose attribute is a list of these values, as they stand in JSON."""
    head = {"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex()}
    attribute = '{"key":"k","value":{"arrayValue":{"values":[' + values + "]}}}"
    one = json.dumps(head, separators=(",", ":"))[:-1] + ',"attributes":[' + attribute + "]}"
    return ('{"resourceSpans":[{"scopeSpans":[{"spans":[' + one + "]}]}]}").encode()


HONEST = [
    '{"intValue":1}',
    '{"intValue":"1"}',
    '{"boolValue":true}',
    '{"stringValue":""}',
    '{"doubleValue":0}',
    '{"int_value":1}',
    "{}",
    '{"intValue":1},{},{},{},{},{},{},{},{}',
    '{"arrayValue":{}}',
    '{"arrayValue":{"values":[]}}',
    '{"arrayValue":{"values":[{}]}}',
    '{"arrayValue":{"values":[{"intValue":1}]}}',
    '{"arrayValue":{"values":[{"arrayValue":{"values":[]}}]}}',
    '{"kvlistValue":{"values":[{"key":"","value":{}}]}}',
    '{"kvlistValue":{"values":[]}}',
]


@pytest.mark.parametrize("value", HONEST)
@pytest.mark.parametrize("comma", [",", ", "])
def test_lists_of_the_smallest_values_are_read(value: str, comma: str) -> None:
    given = message(comma.join([value] * MANY))
    assert not is_bomb(given)


def test_a_list_of_many_digits_is_read_whole() -> None:
    (row,) = read(message(",".join(['{"intValue":1}'] * MANY))).table.to_pylist()
    text = dict(row["attributes"])["k"]
    assert text.startswith("[1,1,1,1,")


_scalars = st.sampled_from(
    [{"intValue": 1}, {"intValue": "1"}, {"boolValue": True}, {"stringValue": ""}, {"doubleValue": 0.5}, {}]
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda values: {"arrayValue": {"values": values}})
        | st.lists(inner, max_size=3).map(
            lambda values: {"kvlistValue": {"values": [{"key": "", "value": value} for value in values]}}
        )
    ),
    max_leaves=6,
)


@given(st.lists(_values, min_size=1, max_size=5), st.booleans())
def test_whatever_values_a_list_has_it_is_read(values: list[Any], spaces: bool) -> None:
    separators = (", ", ": ") if spaces else (",", ":")
    some = json.dumps(values, separators=separators)[1:-1]
    assert not is_bomb(message(",".join([some] * (300_000 // len(some)))))


BOMBS = ["{}", "[]", '{"":{}}', '{"a":1}', '{"spans":[]}', '{"":[]}', "[[]]", "{},[]"]


@pytest.mark.parametrize("inside", BOMBS)
@pytest.mark.parametrize("count", [MANY, 10 * MANY])
def test_bombs_are_bombs(inside: str, count: int) -> None:
    assert is_bomb(('{"resourceSpans":[' + ",".join([inside] * count) + "]}").encode())
    # Nor do they hide among honest values.
    assert is_bomb(message(",".join(['{"intValue":1}'] * 1000 + [f'{{"x":[{inside}]}}'] * count)))


def test_more_than_a_million_absent_values_are_one() -> None:
    assert not is_bomb(message(",".join(["{}"] * 1_000_000)))
    assert is_bomb(message(",".join(["{}"] * 1_000_001)))


@given(st.text('{}[]",:\\ a1', max_size=60))
def test_what_is_no_bomb_takes_no_more_than_is_said(text: str) -> None:
    """Whatever is parsed without being refused stays within the bound, and half a megabyte."""
    value = ("[" + ",".join([text] * (200_000 // (len(text) + 1))) + "]").encode()
    if is_bomb(value):
        return
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return
    assert _bytes(document, set()) <= 18 * len(value) + (1 << 19) + _text_bytes(value)


def _bytes(value: Any, seen: set[int]) -> int:
    """What Python holds for the objects and lists in a document, bytes."""
    total = 0
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict | list) and id(one) not in seen:
            seen.add(id(one))
            total += sys.getsizeof(one)
            left += one.values() if isinstance(one, dict) else one
    return total


def _text_bytes(value: bytes) -> int:
    """The places in lists, of whatever has no brackets: eight bytes each, with the room that lists grow by."""
    return 12 * (value.count(b",") + 1)


@pytest.mark.parametrize(
    "tail",
    [
        b'"' + b'\\"' * 2_000_000,
        b'{"aValue":"' + b'\\"' * 2_000_000,
        b'"' + b"\\" * 2_000_001,
        b"[" + b" " * 2_000_000,
        b'"values":[' * 200_000,
        b'{"aValue":"x"' * 200_000,
    ],
    ids=lambda tail: repr(tail[:16]),
)
def test_everything_is_looked_at_once(tail: bytes) -> None:
    """Texts without an end, spaces, and what only begins like a value: looked at twice it takes hours."""
    before = b'{"values":[' + b"{}," * 990_000
    assert not is_bomb(before + tail)
