"""Messages become rows; what is broken is rejected and harms nothing around it."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.spans.limits import TRUNCATED, Limits
from spanloom.spans.reading.decode import OtlpMessage, decode
from spanloom.spans.table import IS_CONTROL_FLOW, MAX_TIME, SPAN_TABLE
from spanloom.spans.text.values import MAX_NESTING
from tests.captures_truth import captures
from tests.spans.reading.otlp_examples import (
    LIMITS,
    PARENT_ID,
    PRICES,
    SPAN_ID,
    START,
    TRACE_ID,
    any_value,
    event,
    otlp_json,
    otlp_json_bytes,
    read,
    request,
    row,
    row_of,
    rows,
    span,
)
from tests.spans.reading.wire import key_value, length_delimited, raw_request


class TestRows:
    def test_no_messages_make_an_empty_table(self) -> None:
        decoded = decode([], limits=LIMITS, prices=PRICES)
        assert decoded.table.schema == SPAN_TABLE
        assert decoded.table.num_rows == 0

    def test_ids_are_hexadecimal(self) -> None:
        found = row({}, parent_span_id=PARENT_ID)
        assert found["trace_id"] == TRACE_ID.hex()
        assert found["span_id"] == SPAN_ID.hex()
        assert found["parent_span_id"] == PARENT_ID.hex()

    @pytest.mark.parametrize("parent", [b"", bytes(8)])
    def test_no_parent_is_the_empty_text(self, parent: bytes) -> None:
        assert row({}, parent_span_id=parent)["parent_span_id"] == ""

    def test_spans_keep_their_order_and_know_their_message(self) -> None:
        decoded = read(request(span(name="a"), span(name="b")), b"", request(span(name="c")))
        assert decoded.table["name"].to_pylist() == ["a", "b", "c"]
        assert decoded.message.tolist() == [0, 0, 2]

    def test_resource_and_service(self) -> None:
        found = rows(read(request(span(), resource={"service.name": "shop", "n": 1})))[0]
        assert found["service_name"] == "shop"
        assert found["resource"] == {"service.name": "shop", "n": "1"}

    def test_messages_with_the_same_resource_are_read_as_each_by_itself(self) -> None:
        usual, other = {"service.name": "shop", "long": "x" * 6_000}, {"service.name": "depot"}
        small, large = request(span(), resource=usual), request(*[span()] * 4_000, resource=usual)
        some = [
            OtlpMessage(small),
            OtlpMessage(request(span(), resource=other)),
            OtlpMessage(small, "header"),
            OtlpMessage(large),  # of so many spans none has room for it
            OtlpMessage(small),
        ]
        together = decode(some, limits=LIMITS, prices=PRICES).table
        assert together.to_pylist() == [
            row for one in some for row in decode([one], limits=LIMITS, prices=PRICES).table.to_pylist()
        ]
        assert len({str(row) for row in together.select(["project_id", "resource"]).to_pylist()}) == 4

    def test_project_from_the_message_then_the_resource_then_default(self) -> None:
        value = request(span(), resource={"spanloom.project_id": "resource"})
        messages = [OtlpMessage(value, "header"), OtlpMessage(value), OtlpMessage(request(span()))]
        table = decode(messages, limits=LIMITS, prices=PRICES).table
        assert table["project_id"].to_pylist() == ["header", "resource", "default"]

    def test_events(self) -> None:
        found = row_of(span(events=[event("first", {"a": 1}, 5), event("second", {}, 6)]))
        assert [(e["name"], e["time"].value, e["attributes"]) for e in found["events"]] == [
            ("first", 5, [("a", "1")]),
            ("second", 6, []),
        ]

    def test_times_stay_within_what_a_row_can_hold(self) -> None:
        found = row({}, start_time_unix_nano=2**64 - 1, end_time_unix_nano=5)
        assert found["start_time"].value == found["end_time"].value == MAX_TIME

    def test_a_span_never_ends_before_it_starts(self) -> None:
        assert row({}, end_time_unix_nano=0)["end_time"].value == START

    def test_the_last_of_two_equal_keys_counts(self) -> None:
        given = span({"session.id": "one", "a": "b"})
        given.attributes.add(key="session.id").value.string_value = "two"
        found = row_of(given)
        assert found["session_id"] == found["attributes"]["session.id"] == "two"


VALUES: list[tuple[Any, str]] = [
    ("text", "text"),
    ("", ""),
    ("x" * 127, "x" * 127),
    ("x" * 128, "x" * 128),
    ("ä" * 20_000, "ä" * 20_000),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-1, "-1"),
    (300, "300"),
    (2**63 - 1, "9223372036854775807"),
    (-(2**63), "-9223372036854775808"),
    (0.5, "0.5"),
    (1.0, "1.0"),
    (math.nan, "NaN"),
    (-math.inf, "-Infinity"),
    (b"\x00\xff", "AP8="),
    (["a", 1, True, None, [b"x"]], '["a",1,true,null,["eA=="]]'),
    ([], "[]"),
    ([math.inf], '["Infinity"]'),
    ({"k": {"n": "🙏"}}, '{"k":{"n":"🙏"}}'),
    ({}, "{}"),
    (None, ""),
    ("\u202eשלום\u0000\x1b", "\u202eשלום\u0000\x1b"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=lambda value: repr(value)[:30])
def test_attribute_values_as_text(value: Any, text: str) -> None:
    assert row({"key": value})["attributes"] == {"key": text}


class TestStatus:
    @pytest.mark.parametrize(("code", "status"), [(0, "unset"), (1, "ok"), (2, "error"), (7, "unset")])
    def test_from_the_code(self, code: int, status: str) -> None:
        given = span()
        given.status.code = code  # type: ignore[assignment]
        given.status.message = "why"
        found = row_of(given)
        assert (found["status"], found["status_message"]) == (status, "why")

    def test_an_event_named_exception_is_an_error(self) -> None:
        found = row_of(span(events=[event("exception", {"exception.message": "declined"})]))
        assert (found["status"], found["status_message"]) == ("error", "declined")

    def test_the_status_message_goes_before_the_exception_message(self) -> None:
        given = span(events=[event("exception", {"exception.message": "declined"})])
        given.status.code = 2  # type: ignore[assignment]
        given.status.message = "failed"
        assert row_of(given)["status_message"] == "failed"

    @pytest.mark.parametrize(
        ("kind", "message", "fails"),
        [
            ("langgraph.errors.GraphInterrupt", "(Interrupt(value='Sure?'),)", False),
            ("GraphInterrupt", "[]", False),
            ("Exception", "ParentCommand(Command(goto='editor'))Traceback", False),
            ("Error", "NodeInterrupt: []", False),
            ("langgraph.errors.GraphRecursionError", "Recursion limit of 25 reached", True),
            ("Exception", "GraphInterrupted", True),
            ("shop.Declined", "GraphInterrupt(", True),
        ],
    )
    def test_what_a_framework_raises_to_go_on_is_an_error_and_no_failure(
        self, kind: str, message: str, *, fails: bool
    ) -> None:
        given = span(events=[event("exception", {"exception.type": kind, "exception.message": message})])
        found = row_of(given)
        assert (found["status"], not found["marks"] & IS_CONTROL_FLOW) == ("error", fails)

    @pytest.mark.parametrize(
        ("code", "message", "fails"),
        [
            (2, "GraphInterrupt((Interrupt(value=1),))", False),
            (2, "declined", True),
            (1, "GraphInterrupt()", True),
        ],
    )
    def test_so_it_is_where_only_the_status_tells_of_it(
        self, code: int, message: str, *, fails: bool
    ) -> None:
        given = span()
        given.status.code = code  # type: ignore[assignment]
        given.status.message = message
        assert (not row_of(given)["marks"] & IS_CONTROL_FLOW) == fails

    def test_another_exception_beside_it_is_a_failure(self) -> None:
        pause = event("exception", {"exception.type": "GraphInterrupt", "exception.message": "()"})
        failure = event("exception", {"exception.message": "declined"})
        assert not row_of(span(events=[pause, failure]))["marks"] & IS_CONTROL_FLOW


class TestFailures:
    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            ("APIError(backend): declined\nContext: {}", ""),
            ("declined", ""),
            ("The card was declined.", "The card was declined."),
        ],
    )
    def test_an_output_that_is_the_exception_is_no_answer(self, output: str, expected: str) -> None:
        exception = event("exception", {"exception.message": "declined", "exception.type": "shop.APIError"})
        found = row_of(span({"openinference.span.kind": "LLM", "output.value": output}, events=[exception]))
        assert (found["output"], found["output_preview"]) == (output, expected)


class TestRejects:
    @pytest.mark.parametrize(
        "value",
        [b"garbage", b"\x1f", request(span())[:-3], request(span())[:40], b"\x13" * 300],
        ids=["garbage", "tag", "truncated", "truncated more", "groups"],
    )
    def test_a_message_that_is_no_protobuf(self, value: bytes) -> None:
        decoded = read(request(span(name="before")), value, request(span(name="after")))
        assert decoded.table["name"].to_pylist() == ["before", "after"]
        (reject,) = decoded.rejects
        assert (reject.message, reject.payload) == (1, value)
        assert reject.reason.endswith(".")

    def test_a_message_of_unknown_fields_only(self) -> None:
        (reject,) = read(b"\x12\x03abc").rejects
        assert "unknown fields" in reject.reason

    @pytest.mark.parametrize("value", [b"", b'{"resourceSpans":[]}', b"\x0a\x00"])
    def test_an_empty_request_is_nothing(self, value: bytes) -> None:
        decoded = read(value)
        assert decoded.rejects == []
        assert decoded.table.num_rows == 0

    @pytest.mark.parametrize(
        "fields",
        [
            {"trace_id": b""},
            {"trace_id": bytes(16)},
            {"trace_id": b"\x01" * 15},
            {"span_id": b""},
            {"span_id": bytes(8)},
            {"span_id": b"\x01" * 9},
            {"parent_span_id": b"\x01" * 3},
        ],
    )
    def test_a_span_without_valid_ids_goes_alone_with_resource_and_scope(
        self, fields: dict[str, bytes]
    ) -> None:
        bad = span({"a": "b"}, name="bad", **fields)
        bad.links.add(trace_id=TRACE_ID, span_id=SPAN_ID)
        decoded = read(request(span(name="good"), bad, span(name="too")))
        assert decoded.table["name"].to_pylist() == ["good", "too"]
        (reject,) = decoded.rejects
        assert ExportTraceServiceRequest.FromString(reject.payload) == ExportTraceServiceRequest.FromString(
            request(bad)
        )

    def test_many_bad_spans_go_together(self) -> None:
        bad = [span(name=str(i), trace_id=b"") for i in range(100)]
        decoded = read(request(*bad), limits=Limits(rejects=10))
        assert len(decoded.rejects) == 11
        names = [
            each.name
            for reject in decoded.rejects
            for resource in ExportTraceServiceRequest.FromString(reject.payload).resource_spans
            for scope in resource.scope_spans
            for each in scope.spans
        ]
        assert names == [str(i) for i in range(100)]

    @pytest.mark.parametrize("encoded", [lambda value: value, otlp_json_bytes], ids=["protobuf", "json"])
    def test_too_many_spans(self, encoded: Callable[[bytes], bytes]) -> None:
        value = encoded(request(span(), span(), span()))
        (reject,) = read(value, limits=Limits(spans=2)).rejects
        assert reject.reason == "The message holds 3 spans, more than the limit of 2."
        assert read(value, limits=Limits(spans=3)).table.num_rows == 3


class TestSalvage:
    def test_invalid_utf8_costs_a_character(self) -> None:
        value = raw_request(
            length_delimited(0x2A, b"na\xffme"),
            key_value(b"session.id", b"\x0a\x03s\xff1"),
            key_value(b"k\xfey", b"\x0a\x01v"),
            key_value(b"good", b"\x0a\x04fine"),
            length_delimited(0x7A, length_delimited(0x12, b"\xc3(") + b"\x18\x02"),
        )
        decoded = read(value)
        assert decoded.rejects == []
        found = rows(decoded)[0]
        assert found["name"] == "na�me"
        assert found["session_id"] == "s�1"
        assert found["status_message"] == "�("
        assert found["attributes"]["k�y"] == "v"
        assert found["attributes"]["good"] == "fine"

    @pytest.mark.parametrize(
        "pair",
        [
            length_delimited(0x4A, b"\xff\xff\xff"),
            length_delimited(0x4A, b""),
            length_delimited(0x4A, b"\x0a"),
            length_delimited(0x4A, b"\x0a\x7f"),
            length_delimited(0x4A, b"\x12\x02\x18\x01"),
            length_delimited(0x4A, b"\x0a\x01k"),
            key_value(b"k", b"\x0a"),
            key_value(b"k", b"\x0a\x7f"),
            key_value(b"k", b"\x18"),
            key_value(b"k", b"\x18" + b"\xff" * 12),
            key_value(b"k", b"\x21\x00"),
            key_value(b"k", b"\x0a\x01a\x0a\x01b"),
            key_value(b"k", b"\x2a\x05\xff"),
            key_value(b"k" * 200, b"\x0a\x01a"),
        ],
    )
    def test_a_broken_attribute_harms_only_itself(self, pair: bytes) -> None:
        decoded = read(raw_request(pair, key_value(b"good", b"\x0a\x04fine")))
        assert decoded.rejects == []
        assert rows(decoded)[0]["attributes"]["good"] == "fine"

    @pytest.mark.parametrize("depth", [10, 63, 100, 1000])
    def test_deep_nesting_harms_only_itself(self, depth: int) -> None:
        value = b"\x0a\x01x"
        for _ in range(depth):
            value = length_delimited(0x2A, length_delimited(0x0A, value))
        decoded = read(raw_request(key_value(b"deep", value), key_value(b"good", b"\x0a\x04fine")))
        attributes = rows(decoded)[0]["attributes"]
        assert attributes["good"] == "fine"
        if depth < 64:
            assert attributes["deep"] == "[" * depth + '"x"' + "]" * depth

    @pytest.mark.parametrize("nesting", [1, 5, MAX_NESTING])
    def test_values_are_read_as_deep_as_the_limit_says(self, nesting: int) -> None:
        value = b"\x0a\x01x"
        in_json: dict[str, Any] = {"stringValue": "x"}
        for _ in range(MAX_NESTING):
            value = length_delimited(0x2A, length_delimited(0x0A, value))
            in_json = {"arrayValue": {"values": [in_json]}}
        limits = Limits(nesting=nesting)
        (found,) = rows(read(raw_request(key_value(b"deep", value)), limits=limits))
        deep = found["attributes"]["deep"]
        assert len(deep) - len(deep.lstrip("[")) == min(nesting + 1, MAX_NESTING)
        assert ('"x"' in deep) == (nesting == MAX_NESTING)
        # In OTLP JSON the same value is shown in the same way.
        document = otlp_json(request(span()))
        document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
            {"key": "deep", "value": in_json}
        ]
        (from_json,) = rows(read(json.dumps(document).encode(), limits=limits))
        assert from_json["attributes"] == found["attributes"]

    @pytest.mark.parametrize("form", ["list", "map"])
    def test_a_large_value_nested_deep_is_not_held_once_a_level(self, form: str) -> None:
        size = 200_000
        value = length_delimited(0x0A, b"x" * size)
        for _ in range(60):
            if form == "list":
                value = length_delimited(0x2A, length_delimited(0x0A, value))
            else:
                entry = length_delimited(0x0A, b"k") + length_delimited(0x12, value)
                value = length_delimited(0x32, length_delimited(0x0A, entry))
        message = raw_request(key_value(b"k", value))
        tracemalloc.start()
        decode([OtlpMessage(message)], limits=LIMITS, prices=PRICES)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 15 * size


class TestLimits:
    def test_long_input_and_output_are_cut_and_marked(self) -> None:
        found = row_of(
            span({"input.value": "i" * 50, "output.value": "o" * 5}), limits=Limits(text=10, value=100)
        )
        assert (found["input"], found["output"]) == ("i" * 10, "o" * 5)
        assert found["attributes"]["input.value"] == "i" * 50
        assert found["attributes"][TRUNCATED] == "input"

    def test_long_attributes_are_cut_and_marked(self) -> None:
        found = row_of(span({"a": "x" * 50, "k" * 2000: "v"}), limits=Limits(value=10))
        assert found["attributes"] == {"a": "x" * 10, "k" * 1024: "v", TRUNCATED: "attributes"}

    def test_what_was_cut_is_marked_once_though_a_sender_marks_it_too(self) -> None:
        found = read(request(span({TRUNCATED: "mine", "a": "x" * 50})), limits=Limits(value=10))
        assert found.table["attributes"].to_pylist() == [[(TRUNCATED, "attributes"), ("a", "x" * 10)]]

    def test_of_too_many_attributes_those_that_are_read_stay(self) -> None:
        many = {f"a{i}": i for i in range(100)} | {"session.id": "s", "user.id": "u"}
        found = row_of(span(many), limits=Limits(attributes=4))
        assert found["attributes"] == {
            "session.id": "s",
            "user.id": "u",
            "a0": "0",
            "a1": "1",
            TRUNCATED: "attributes",
        }
        assert found["session_id"] == "s"

    def test_events_are_cut_and_marked(self) -> None:
        found = row_of(span(events=[event(str(i), {}) for i in range(9)]), limits=Limits(events=3))
        assert [each["name"] for each in found["events"]] == ["0", "1", "2"]
        assert found["attributes"][TRUNCATED] == "events"

    def test_a_huge_resource_is_cut_and_marked(self) -> None:
        resource = {"service.name": "shop", "a": "x" * 100, "b": "y" * 100}
        found = rows(read(request(span(), resource=resource), limits=Limits(resource=130)))[0]
        assert found["resource"] == {"service.name": "shop", "a": "x" * 100, TRUNCATED: "resource"}

    def test_names_are_cut(self) -> None:
        found = row({}, name="n" * 5000)
        assert found["name"] == "n" * 1024

    def test_long_ids_are_told_apart(self) -> None:
        found, other = (
            row({key: "s" * 5000 + last}) for key, last in (("session.id", "a"), ("session.id", "b"))
        )
        for one in (found, other):
            assert len(one["session_id"]) == 1024
            assert one["session_id"].startswith("s" * 1000)
            assert dict(one["attributes"])["spanloom.truncated"] == "session_id"
        assert found["session_id"] != other["session_id"]

    def test_a_hundred_thousand_attributes_take_no_time_to_speak_of(self) -> None:
        found = row({f"llm.input_messages.{i}.message.content": "x" for i in range(100_000)})
        assert len(found["attributes"]) == LIMITS.attributes + 1


VALID = [value for capture in captures() for value in capture.messages]

attribute_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.sampled_from(
        ["NaN", "-1", "1e400", "[", '{"a":', '"\\ud800"', "null", "[[[]]]", '{"role":1}', "9" * 5000]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.binary(max_size=2000))
def test_any_bytes_raise_nothing(value: bytes) -> None:
    read(value)


@given(st.data())
def test_any_damage_to_a_recording_raises_nothing(data: st.DataObject) -> None:
    value = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(1, 20))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(value), otlp_damaged(value))


def otlp_damaged(value: bytearray) -> bytes:
    return b"{" + bytes(value)


@given(st.data())
def test_any_damage_to_json_raises_nothing(data: st.DataObject) -> None:
    value = bytearray(otlp_json_bytes(data.draw(st.sampled_from(VALID))))
    for _ in range(data.draw(st.integers(1, 10))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.sampled_from(b'"{}[]:,0-\\u\xff'))
    read(bytes(value))


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), attribute_values, max_size=5))
def test_any_attributes_raise_nothing(attributes: dict[str, Any]) -> None:
    found = row(attributes)
    assert found["attributes"].keys() == attributes.keys()


@given(attribute_values)
def test_values_round_trip_through_json(value: Any) -> None:
    binary = request(span({"key": value}))
    assert any_value(value) is not None
    assert rows(read(otlp_json_bytes(binary))) == rows(read(binary))
