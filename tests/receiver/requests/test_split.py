"""A large request is split by span, and nothing of it changes but where it stands."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spanloom.receiver.requests.envelope import JSON, PROTOBUF
from spanloom.receiver.requests.scopes import TooMany
from spanloom.receiver.requests.split import split
from spanloom.schemas import otlp_pb2
from tests.captures_truth import captures
from tests.spans.reading.otlp_examples import key_values, otlp_json_bytes, read
from tests.spans.reading.wire import length_delimited

attributes = st.dictionaries(st.text(max_size=5), st.text(max_size=60) | st.integers(0, 9), max_size=3).map(
    key_values
)
links = st.lists(st.binary(max_size=20).map(lambda raw: Span.Link(trace_id=raw)), max_size=2)
# 3000 is the tag of a field that no version of OTLP has.
unknown = st.sampled_from([b"", b"\xc2\xbb\x01\x03abc", b"\xc0\xbb\x01\x05"])


@st.composite
def spans(draw: st.DrawFn) -> Span:
    span = Span(name=draw(st.text(max_size=100)), trace_state=draw(st.sampled_from(["", "a=b"])))
    span.attributes.extend(draw(attributes))
    span.links.extend(draw(links))
    span.MergeFromString(draw(unknown))
    return span


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 3))):
        inside = ResourceSpans(schema_url=draw(st.sampled_from(["", "s"])))
        if draw(st.booleans()):
            inside.resource.CopyFrom(Resource(attributes=draw(attributes)))
        inside.MergeFromString(draw(unknown))
        for _ in range(draw(st.integers(0, 3))):
            scope = inside.scope_spans.add(schema_url=draw(st.sampled_from(["", "s"])))
            if draw(st.booleans()):
                scope.scope.CopyFrom(InstrumentationScope(name="n", attributes=draw(attributes)))
            scope.spans.extend(draw(st.lists(spans(), max_size=6)))
        request.resource_spans.append(inside)
    return request


def flat(request: ExportTraceServiceRequest) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Every span with all that stands around it, as bytes."""
    for inside in request.resource_spans:
        resource = ResourceSpans()
        resource.CopyFrom(inside)
        resource.ClearField("scope_spans")
        for scope_spans in inside.scope_spans:
            scope = ScopeSpans()
            scope.CopyFrom(scope_spans)
            scope.ClearField("spans")
            for span in scope_spans.spans:
                yield tuple(part.SerializeToString() for part in (resource, scope, span))  # type: ignore[misc]


@given(requests(), st.integers(100, 1500))
def test_every_span_stays_as_it_is_in_order_or_is_counted(
    request: ExportTraceServiceRequest, limit: int
) -> None:
    before = list(flat(request))
    if not before:
        with pytest.raises(ValueError, match="holds no spans"):
            split(request.SerializeToString(), PROTOBUF, limit)
        return
    parts = split(request.SerializeToString(), PROTOBUF, limit)
    assert all(len(message) <= limit for message in parts.messages())
    after = [
        one for message in parts.messages() for one in flat(ExportTraceServiceRequest.FromString(message))
    ]
    left = iter(before)
    assert all(one in left for one in after), "some are new, changed or not in order"
    assert parts.rejected == len(before) - len(after)
    for resource, scope, span in before:
        shell = len(resource) + len(scope)
        if shell <= limit // 2 and shell + len(span) + 76 <= limit:
            assert (resource, scope, span) in after


@given(requests(), st.integers(100, 1500))
def test_all_messages_together_are_not_many_times_the_request(
    request: ExportTraceServiceRequest, limit: int
) -> None:
    body = request.SerializeToString()
    try:
        messages = split(body, PROTOBUF, limit).messages()
    except ValueError:
        return
    scopes = sum(len(one.scope_spans) for one in request.resource_spans)
    count = sum(len(scope.spans) for one in request.resource_spans for scope in one.scope_spans)
    # Each span may add a frame, each scope the resource that it had shared.
    assert sum(map(len, messages)) <= 4 * (len(body) + 80 * count) + scopes * (limit // 2 + 80)


def test_a_large_resource_is_not_repeated_for_every_span() -> None:
    """A megabyte of resource and ten thousand spans would be ten gigabytes."""
    inside = ResourceSpans(resource=Resource(attributes=key_values({"k": "x" * 990_000})))
    inside.scope_spans.add(spans=[Span(name=f"span {number}") for number in range(10_000)])
    body = ExportTraceServiceRequest(resource_spans=[inside]).SerializeToString()
    parts = split(body, PROTOBUF, 1_000_000)
    assert (parts.messages(), parts.rejected) == ((), 10_000)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_many_small_scopes_share_a_message(content_type: str) -> None:
    scopes = [ScopeSpans(spans=[Span(name=f"span {number}")]) for number in range(1000)]
    body = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=scopes[:500]), ResourceSpans(scope_spans=scopes[500:])]
    ).SerializeToString()
    given_as = body if content_type == PROTOBUF else otlp_json_bytes(body)
    assert len(split(given_as, content_type, 40_000).messages()) <= 4


def field(number: int, *content: bytes) -> bytes:
    """A length-delimited field."""
    return length_delimited(number << 3 | 2, b"".join(content))


def test_what_is_not_utf_8_stays_as_it_is() -> None:
    spans = [field(5, b"\xff\xfe", bytes([number]) * 60) for number in range(20)]
    resource = field(1, field(1, field(2, b"\xff")))
    scope = field(1, field(1, b"\xc3\x28"))
    body = field(1, field(1, resource), field(2, scope, *(field(2, span) for span in spans)))
    parts = split(body, PROTOBUF, 400)
    assert len(parts.messages()) > 1
    found = []
    for message in parts.messages():
        (resource_spans,) = otlp_pb2.ExportTraceServiceRequest.FromString(message).resource_spans
        assert resource_spans.resource.SerializeToString() == resource
        (scope_spans,) = resource_spans.scope_spans
        assert field(1, scope_spans.scope) == scope
        found += [span.SerializeToString() for span in scope_spans.spans]
    assert (found, parts.rejected) == (spans, 0)


def test_a_resource_in_two_occurrences_stays_whole() -> None:
    """Protobuf merges a message that is there twice: the last one alone would lack attributes."""
    first, last = (field(1, field(1, field(1, key))) for key in (b"one", b"two"))
    scope = field(2, *(field(2, field(5, b"x" * 50)) for _ in range(9)))
    parts = split(field(1, first, scope, last), PROTOBUF, 250)
    assert len(parts.messages()) > 1
    for message in parts.messages():
        (inside,) = ExportTraceServiceRequest.FromString(message).resource_spans
        assert [attribute.key for attribute in inside.resource.attributes] == ["one", "two"]


@pytest.mark.parametrize("broken", [b"\x12", b"\x12\x05ab", b"\x00", b"\x0f", b"\x12\x03\x12\x05a"])
def test_broken_frames_are_refused(broken: bytes) -> None:
    whole = field(1, field(2, field(2, field(5, b"span"))))
    with pytest.raises(ValueError, match=r"^The request is not a protobuf ExportTraceServiceRequest\.$"):
        split(whole + field(1, broken), PROTOBUF, 100)


@given(st.binary(max_size=400))
def test_any_bytes_are_split_or_refused(body: bytes) -> None:
    for content_type in (PROTOBUF, JSON):
        messages: tuple[bytes, ...] = ()
        with contextlib.suppress(ValueError):
            messages = split(body, content_type, 300).messages()
        assert all(len(message) <= 300 for message in messages)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_recordings_give_the_same_rows_when_they_are_split(content_type: str) -> None:
    values = [value for capture in captures()[:3] for value in capture.messages]
    for value in values[:20]:
        body = value if content_type == PROTOBUF else otlp_json_bytes(value)
        parts = split(body, content_type, 40_000)
        if content_type == JSON:
            again = [json.loads(message) for message in parts.messages()]
            assert _json_spans(again) == _json_spans([json.loads(body)])
        elif not parts.rejected:
            assert read(*parts.messages()).table.equals(read(value).table)


def _json_spans(documents: list[dict[str, Any]]) -> list[Any]:
    return [
        (resource.get("resource"), scope.get("scope"), span)
        for document in documents
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_json_keeps_all_members_and_texts() -> None:
    text = "grün \U0001f600 \ud800 \u0000"
    span = {"traceId": "00", "links": [{"traceId": "01"}], "name": text, "x": [1.5, 10**30, None, True]}
    document = {
        "resource_spans": [
            {
                "schemaUrl": "s",
                "resource": {"y": 1},
                "scopeSpans": [{"scope": {"name": "n"}, "spans": [span] * 5}],
            }
        ]
    }
    parts = split(json.dumps(document).encode(), JSON, 500)
    assert len(parts.messages()) > 1
    found = []
    for message in parts.messages():
        assert len(message) <= 500
        (inside,) = json.loads(message)["resourceSpans"]
        assert {name: inside[name] for name in inside if name != "scopeSpans"} == {
            "schemaUrl": "s",
            "resource": {"y": 1},
        }
        (scope,) = inside["scopeSpans"]
        assert scope["scope"] == {"name": "n"}
        found += scope["spans"]
    assert found == [span] * 5


@pytest.mark.parametrize(
    "body", [b'{"resourceSpans": 7}', b"{}", b'{"a": 1}', b"[" * 100_000, b'{"a":' * 100_000, b"7"]
)
def test_json_without_spans_is_refused_and_not_dropped(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^The request is .+\.$"):
        split(body, JSON, 100)


BEFORE, BEHIND = b'{"resourceSpans":[{"scopeSpans":[{"spans":[', b"]}]}]}"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b'{"resourceSpans":[' + b",".join([b"{}"] * 300_000) + b"]}"),
        (JSON, BEFORE + b",".join([b"{}"] * 600_000) + BEHIND),
        (JSON, BEFORE + b'{"a":[' + b",".join([b"[[0]]"] * 1_100_000) + b"]}" + BEHIND),
        (JSON, b"{" + b",".join([b'"":0'] * 300_000) + b"}"),
        (PROTOBUF, b"\x0a\x00" * 300_000),
        (PROTOBUF, field(1, field(2, b"\x12\x00" * 600_000))),
        (PROTOBUF, field(1, b"\x08\x00" * 300_000)),
    ],
)
def test_more_than_anybody_sends_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(TooMany, match=r"^The request has more than \d+ .+: send fewer.* at once\.$"):
        split(body, content_type, 1000)


def test_spans_of_json_stay_byte_for_byte() -> None:
    spans = [
        b'{ "name" : "%d \\ud800 \xff", "n":[1e400, -0,{"a": "}]\\"" }] }' % number for number in range(30)
    ]
    parts = split(BEFORE + b" , ".join(spans) + BEHIND, JSON, 400)
    inside = [message[len(BEFORE) : -len(BEHIND)] for message in parts.messages()]
    assert len(inside) > 1
    assert b",".join(inside) == b",".join(spans)


def test_all_messages_have_a_size_that_is_known_before_they_are_made() -> None:
    body = BEFORE + b",".join([b'{"name":"span"}'] * 1000) + BEHIND
    for given_as, content_type in ((body, JSON), (field(1, *[field(2, field(2, b"span"))] * 99), PROTOBUF)):
        parts = split(given_as, content_type, 300)
        assert parts.size >= sum(map(len, parts.messages()))


@pytest.mark.parametrize(
    "body",
    [
        BEFORE,
        BEFORE + b"{" + BEHIND,
        BEFORE + b"{]" + BEHIND,
        BEFORE + b'{"a' + BEHIND,
        BEFORE + b'"\\',
        BEFORE + b"{}{}" + BEHIND,
        BEFORE + BEHIND + b"x",
        b"{1:2}",
        b'{"a" 1}',
    ],
)
def test_broken_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^The request is not valid JSON\.$"):
        split(body, JSON, 100)
