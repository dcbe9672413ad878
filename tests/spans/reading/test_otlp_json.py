"""OTLP JSON gives the same rows as OTLP protobuf."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.captures_truth import Capture, captures
from tests.spans.reading.otlp_examples import (
    PARENT_ID,
    SPAN_ID,
    START,
    TRACE_ID,
    event,
    otlp_json,
    otlp_json_bytes,
    read,
    request,
    rows,
    span,
)
from tests.spans.reading.otlp_json_dialects import DIALECTS
from tests.spans.reading.wire import key_value, length_delimited, raw_request

FIXTURES = Path(__file__).parent / "fixtures"
EVERY_VALUE = (FIXTURES / "every-value.otlp.pb").read_bytes()


def table_bytes(*values: bytes) -> bytes:
    """The span table of messages as Arrow's IPC stream."""
    decoded = read(*values)
    assert decoded.rejects == []
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, decoded.table.schema) as stream:
        stream.write_table(decoded.table)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.__name__)
@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_every_recording_as_json_gives_the_same_bytes(
    capture: Capture, dialect: Callable[[bytes], bytes]
) -> None:
    assert table_bytes(*map(dialect, capture.messages)) == table_bytes(*capture.messages)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.__name__)
def test_every_kind_of_value_as_json_gives_the_same_bytes(dialect: Callable[[bytes], bytes]) -> None:
    assert table_bytes(dialect(EVERY_VALUE)) == table_bytes(EVERY_VALUE)


def test_what_the_collector_writes_gives_the_same_bytes() -> None:
    written = (FIXTURES / "every-value.collector.json").read_bytes()
    assert b'{"doubleValue":-0}' in written
    assert table_bytes(written) == table_bytes(EVERY_VALUE)


@pytest.mark.parametrize("depth", [63, 64, 65, 66, 100])
def test_what_is_nested_too_deep_is_shown_as_the_same_bytes(depth: int) -> None:
    value: dict[str, Any] = {"intValue": 5}
    raw = b"\x18\x05"
    for level in range(depth):
        if level % 2:
            value = {"arrayValue": {"values": [value]}}
            raw = length_delimited(0x2A, length_delimited(0x0A, raw))
        else:
            value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
            raw = length_delimited(0x32, length_delimited(0x0A, b"\x0a\x01k" + length_delimited(0x12, raw)))
    [shown] = rows(read(raw_request(key_value(b"k", raw))))
    assert attribute(value) == shown["attributes"]["k"]


def one_span(**members: Any) -> bytes:
    given = {
        "traceId": TRACE_ID.hex(),
        "spanId": SPAN_ID.hex(),
        "parentSpanId": PARENT_ID.hex(),
        "name": "step",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1),
    } | members
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [given]}]}]}).encode()


def row(**members: Any) -> dict[str, Any]:
    decoded = read(one_span(**members))
    assert decoded.rejects == []
    return rows(decoded)[0]


def attribute(value: Any) -> str:
    return str(row(attributes=[{"key": "k", "value": value}])["attributes"]["k"])


class TestFreedoms:
    def test_times_are_strings_or_numbers(self) -> None:
        assert row(startTimeUnixNano=START)["start_time"].value == START
        assert row(startTimeUnixNano=str(START))["start_time"].value == START

    @pytest.mark.parametrize("code", [2, "STATUS_CODE_ERROR"])
    def test_enums_are_numbers_or_names(self, code: Any) -> None:
        assert row(status={"code": code, "message": "m"})["status"] == "error"

    def test_ids_are_hexadecimal_in_any_case(self) -> None:
        assert row(traceId="AB" * 16)["trace_id"] == "ab" * 16

    def test_ids_are_base64_where_a_sender_follows_protobuf(self) -> None:
        assert row(spanId="AQIDBAUGBwg=")["span_id"] == SPAN_ID.hex()

    def test_member_names_as_in_the_proto_files(self) -> None:
        value = json.dumps(
            {
                "resource_spans": [
                    {"scope_spans": [{"spans": [{"trace_id": TRACE_ID.hex(), "span_id": SPAN_ID.hex()}]}]}
                ]
            }
        )
        assert rows(read(value.encode()))[0]["trace_id"] == TRACE_ID.hex()

    def test_unknown_members_do_not_matter(self) -> None:
        assert row(unknown={"a": [1]}, links=[{}], kind=3)["name"] == "step"

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"stringValue": "s"}, "s"),
            ({"boolValue": True}, "true"),
            ({"intValue": "-5"}, "-5"),
            ({"intValue": 5}, "5"),
            ({"intValue": "9" * 30}, str(2**63 - 1)),
            ({"doubleValue": 0.5}, "0.5"),
            ({"doubleValue": "NaN"}, "NaN"),
            ({"bytesValue": "AP8="}, "AP8="),
            ({"bytesValue": "AP8"}, "AP8="),
            ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, "[1,null]"),
            ({"arrayValue": {}}, "[]"),
            ({"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}}, '{"a":"b"}'),
            ({"string_value": "s"}, "s"),
            ({"intValue": 2**53 + 1}, str(2**53 + 1)),
            ({"intValue": 2**63 - 1}, str(2**63 - 1)),
            ({"intValue": -(2**63)}, str(-(2**63))),
            ({"intValue": -(2**70)}, str(-(2**63))),
            ({"intValue": 1e300}, str(2**63 - 1)),
            ({"intValue": "1e3"}, "1000"),
            ({"intValue": "1_000"}, "0"),
            ({"intValue": "٣"}, "0"),
            ({"intValue": "NaN"}, "0"),
            ({"intValue": math.inf}, str(2**63 - 1)),
            ({"intValue": []}, "0"),
            ({"doubleValue": 1e-7}, "1e-07"),
            ({"doubleValue": "1e400"}, "Infinity"),
            ({"doubleValue": "1_0"}, "0.0"),
            ({"doubleValue": 10**400}, "Infinity"),
            ({"doubleValue": None}, ""),
            ({"stringValue": None, "intValue": 5}, "5"),
            ({"bytesValue": {"0": 0, "1": 255}}, "AP8="),
            ({"bytesValue": {"0": 256}}, ""),
            ({"bytesValue": {"a": 1}}, ""),
            ({}, ""),
            (None, ""),
            ("text", ""),
            ({"stringValue": "\ud800x"}, "�x"),
        ],
    )
    def test_values(self, value: Any, text: str) -> None:
        assert attribute(value) == text

    def test_a_zero_keeps_its_sign(self) -> None:
        value = one_span(attributes=[{"key": "k", "value": {"doubleValue": 5}}]).replace(b": 5}", b": -0}")
        assert rows(read(value))[0]["attributes"]["k"] == "-0.0"

    def test_a_number_of_thousands_of_digits_harms_only_itself(self) -> None:
        value = one_span(
            attributes=[{"key": "n", "value": {"intValue": 5}}, {"key": "k", "value": {"intValue": 7}}]
        )
        found = rows(read(value.replace(b": 5}", b": " + b"9" * 5000 + b"}")))[0]["attributes"]
        assert found == {"n": str(2**63 - 1), "k": "7"}

    @pytest.mark.parametrize(
        ("code", "status"),
        [(0, "unset"), (1, "ok"), (2, "error"), ("1", "ok"), (3, "unset"), (-1, "unset"), (None, "unset")],
    )
    def test_status_codes_nobody_knows_are_none(self, code: Any, status: str) -> None:
        assert row(status={"code": code})["status"] == status

    def test_white_space_before_the_document(self) -> None:
        assert read(b" \r\n" + one_span()).table.num_rows == 1
        assert read(b"\n" + one_span()).table.num_rows == 1


class TestRejects:
    @pytest.mark.parametrize(
        "value", [b"{", b'{"a":1}', b'{"resourceSpans":1}', b"{" * 100_000, b'{"a":' * 5000]
    )
    def test_what_is_no_request(self, value: bytes) -> None:
        (reject,) = read(value).rejects
        assert reject.payload == value
        assert reject.reason.endswith(".")

    @pytest.mark.parametrize("members", [{"traceId": "xyz"}, {"spanId": 5}, {"parentSpanId": "abc"}])
    def test_spans_without_valid_ids(self, members: dict[str, Any]) -> None:
        decoded = read(one_span(**members))
        assert decoded.table.num_rows == 0
        assert len(decoded.rejects) == 1

    @pytest.mark.parametrize("broken", [None, 1, "x", [], [1], {"spans": 1}, {"spans": [1, None]}])
    def test_members_of_the_wrong_type_count_as_absent(self, broken: Any) -> None:
        document = {
            "resourceSpans": [{"resource": broken, "scopeSpans": broken}, broken, {"scopeSpans": [broken]}]
        }
        assert read(json.dumps(document).encode()).table.num_rows == 0


def test_invalid_utf8_costs_a_character() -> None:
    value = one_span(name="nXme").replace(b"nXme", b"n\xffme")
    assert rows(read(value))[0]["name"] == "n�me"


def test_deep_nesting_harms_only_itself() -> None:
    value: Any = {"stringValue": "x"}
    for _ in range(100):
        value = {"arrayValue": {"values": [value]}}
    found = row(
        attributes=[{"key": "deep", "value": value}, {"key": "good", "value": {"stringValue": "fine"}}]
    )
    assert found["attributes"]["good"] == "fine"


def test_events_and_status() -> None:
    given = span(events=[event("exception", {"exception.message": "declined"})])
    value = request(given)
    assert "events" in otlp_json(value)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert rows(read(otlp_json_bytes(value))) == rows(read(value))


@pytest.mark.parametrize("inside", ["{}", "[]", '{"":{}}', '{"a":1}', '{"spans":[]}'])
def test_a_message_of_hardly_anything_but_objects_is_rejected_before_it_is_parsed(inside: str) -> None:
    message = '{"resourceSpans":[' + ",".join([inside] * 100_000) + "]}"
    decoded = read(message.encode())
    assert [reject.reason for reject in decoded.rejects] == [
        "The message is JSON that holds hardly anything but objects and lists."
    ]


def test_brackets_in_texts_are_no_objects() -> None:
    (row,) = rows(read(otlp_json_bytes(request(span({"input.value": '[{"' * 100_000})))))
    assert row["input"] == '[{"' * 100_000
