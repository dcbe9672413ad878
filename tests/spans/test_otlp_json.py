"""OTLP JSON gives the same rows as OTLP protobuf."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.captures_truth import Capture, captures
from tests.spans.otlp_examples import (
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


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_every_recording_as_json_gives_the_same_table(capture: Capture) -> None:
    decoded = read(*(otlp_json_bytes(value) for value in capture.messages))
    assert decoded.rejects == []
    assert decoded.table.equals(read(*capture.messages).table)


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
            ({}, ""),
            (None, ""),
            ("text", ""),
            ({"stringValue": "\ud800x"}, "�x"),
        ],
    )
    def test_values(self, value: Any, text: str) -> None:
        assert attribute(value) == text

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
