"""What is no OTLP is said to be none: nothing is taken for an empty export that somebody has put something into."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.spans.reading.decode import Decoded
from tests.spans.reading.otlp_examples import SPAN_ID, TRACE_ID, key_values, read, request, span

SPAN = {"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "name": "step"}
SPANS = {"spans": [SPAN]}


def read_json(document: Any) -> Decoded:
    return read(json.dumps(document).encode())


def reasons(decoded: Decoded) -> list[str]:
    return [reject.reason for reject in decoded.rejects]


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        [{"resourceSpans": [{"scopeSpans": [SPANS]}]}],
        {"resourceSpans": None},
        {"resourceSpans": {"scopeSpans": [SPANS]}},
        {"resourceMetrics": []},
        {"resource_spans": "x"},
        {"instrumentationLibrarySpans": [SPANS]},
        {"spans": [SPAN]},
        {"resourceSpans": [[]]},
        {"resourceSpans": [None]},
        {"resourceSpans": ["x"]},
        {"resourceSpans": [{"spans": [SPAN]}]},
        {"resourceSpans": [{"resource": {}, "libraries": []}]},
        {"resourceSpans": [{"scopeSpans": {"spans": [SPAN]}}]},
        {"resource_spans": [{"scope_spans": [[]]}]},
        {"resourceSpans": [{"scopeSpans": [{"scope": {}, "span": [SPAN]}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": SPAN}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [[SPAN]]}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]},
    ],
    ids=json.dumps,
)
def test_json_of_another_shape_is_a_dead_letter(document: Any) -> None:
    decoded = read_json(document)
    assert decoded.table.num_rows == 0
    (reject,) = decoded.rejects
    assert reject.payload == json.dumps(document).encode()
    assert reject.reason.endswith(".")


@pytest.mark.parametrize(
    "document",
    [
        {"resourceSpans": []},
        {"resource_spans": []},
        {"resourceSpans": [], "resourceMetrics": [{}]},
        {"resourceSpans": [{}]},
        {"resourceSpans": [{"resource": {"attributes": []}, "schemaUrl": ""}]},
        {"resourceSpans": [{"resource": {}, "scopeSpans": None}]},
        {"resourceSpans": [{"scopeSpans": [], "new": [1]}]},
        {"resourceSpans": [{"scopeSpans": [{}]}]},
        {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "n"}, "schemaUrl": ""}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [], "new": {}}]}]},
    ],
    ids=json.dumps,
)
def test_an_empty_export_is_fine(document: Any) -> None:
    decoded = read_json(document)
    assert (decoded.table.num_rows, decoded.rejects) == (0, [])


@pytest.mark.parametrize("place", ["document", "resource", "scope", "span"])
def test_unknown_members_beside_known_ones_are_ignored(place: str) -> None:
    new = {"new": [{"spans": 7}], "": None}
    one = SPAN | (new if place == "span" else {})
    scope = {"spans": [one]} | (new if place == "scope" else {})
    resource = {"scopeSpans": [scope]} | (new if place == "resource" else {})
    decoded = read_json({"resourceSpans": [resource]} | (new if place == "document" else {}))
    assert (decoded.table.num_rows, decoded.rejects) == (1, [])


@pytest.mark.parametrize(
    "strange",
    [{"libraries": [SPANS]}, None, {"scopeSpans": [{"span": [SPAN]}]}, {"scopeSpans": [{"spans": [None]}]}],
)
def test_beside_another_shape_spans_are_read_and_the_whole_is_kept(strange: Any) -> None:
    document = {"resourceSpans": [strange, {"scopeSpans": [SPANS]}]}
    decoded = read_json(document)
    assert decoded.table.num_rows == 1
    assert [reject.payload for reject in decoded.rejects] == [json.dumps(document).encode()]


@pytest.mark.parametrize("older", ["instrumentationLibrarySpans", "instrumentation_library_spans"])
def test_names_of_before_otlp_0_15_are_read_where_the_new_ones_hold_nothing(older: str) -> None:
    besides: list[dict[str, Any]] = [{}, {"scopeSpans": []}, {"scopeSpans": None}]
    for beside in besides:
        assert read_json({"resourceSpans": [{older: [SPANS], **beside}]}).table.num_rows == 1


def is_empty_export(document: Any) -> bool:
    """By the specification: the list of resources, and in what it holds nothing but what OTLP knows, and no span."""
    if not isinstance(document, dict):
        return False
    frames = (
        (("resourceSpans", "resource_spans"), None),
        (
            ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans"),
            {"resource", "schemaUrl", "schema_url"},
        ),
        (
            ("spans",),
            {"scope", "instrumentationLibrary", "instrumentation_library", "schemaUrl", "schema_url"},
        ),
    )
    holders = [document]
    for names, beside in frames:
        inside: list[Any] = []
        for holder in holders:
            lists = [holder[name] for name in names if isinstance(holder.get(name), list)]
            strange = beside is None or any(
                name not in beside and not (name in names and content is None)
                for name, content in holder.items()
            )
            if not lists and strange:
                return False
            inside += next(filter(None, lists), [])
        if not all(isinstance(each, dict) for each in inside):
            return False
        holders = inside
    return not holders


_member_names = st.sampled_from(
    [
        *("resourceSpans", "resource_spans", "scopeSpans", "scope_spans", "instrumentationLibrarySpans"),
        *("spans", "resource", "scope", "schemaUrl", "new", "resourceMetrics", ""),
    ]
)
_any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.text(max_size=3) | st.just(SPAN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_member_names, inner, max_size=3),
    max_leaves=8,
)
_lists = st.lists(_any_json, max_size=2)
documents = (
    _any_json
    | st.fixed_dictionaries({"resourceSpans": _any_json})
    | st.fixed_dictionaries(
        {"resourceSpans": st.lists(st.fixed_dictionaries({"scopeSpans": _any_json}), max_size=2)}
    )
    | st.fixed_dictionaries(
        {
            "resourceSpans": st.lists(
                st.fixed_dictionaries(
                    {"scopeSpans": st.lists(st.fixed_dictionaries({"spans": _lists}), max_size=2)}
                ),
                max_size=2,
            )
        }
    )
)


@given(documents)
def test_json_from_which_nothing_comes_is_an_empty_export_or_a_dead_letter(document: Any) -> None:
    decoded = read_json(document)
    if not decoded.table.num_rows:
        assert bool(decoded.rejects) != is_empty_export(document)


def test_a_span_without_times_is_kept() -> None:
    value = request(span({"a": 1}, start_time_unix_nano=0, end_time_unix_nano=0))
    assert read(value).table.num_rows == 1


UNKNOWN = b"\xc2\xbb\x01\x03abc"  # of field 3000, which no version of OTLP has


def with_unknown(place: str, *, spans: bool) -> bytes:
    message = ExportTraceServiceRequest()
    inside = message.resource_spans.add()
    inside.resource.attributes.extend(key_values({"service.name": "shop"}))
    if spans or place == "scope":
        inside.scope_spans.add()
    if spans:
        inside.scope_spans[0].spans.append(span())
    holder = {"request": message, "resource": inside}.get(place) or inside.scope_spans[0]
    holder.MergeFromString(UNKNOWN)
    return message.SerializeToString()


@pytest.mark.parametrize("place", ["request", "resource", "scope"])
def test_unknown_fields_beside_spans_are_ignored(place: str) -> None:
    decoded = read(with_unknown(place, spans=True))
    assert (decoded.table.num_rows, decoded.rejects) == (1, [])


@pytest.mark.parametrize("place", ["resource", "scope"])
def test_unknown_fields_in_the_place_of_spans_are_a_dead_letter(place: str) -> None:
    value = with_unknown(place, spans=False)
    assert [(reject.reason, reject.payload) for reject in read(value).rejects] == [
        ("The message holds no spans, but fields that are not known.", value)
    ]


def test_empty_exports_of_protobuf_are_fine() -> None:
    empty = ExportTraceServiceRequest()
    empty.resource_spans.add().scope_spans.add().scope.name = "n"
    for value in (b"", b"\x0a\x00", empty.SerializeToString(), with_unknown("request", spans=False)):
        decoded = read(value)
        assert (decoded.table.num_rows, decoded.rejects) == (0, [])


@pytest.mark.parametrize(
    "value", [b"\x0a\x00" * 60_000, json.dumps({"resourceSpans": [{"resource": {}}] * 60_000}).encode()]
)
def test_more_empty_resources_than_anybody_sends_are_a_dead_letter(value: bytes) -> None:
    assert reasons(read(value)) == [
        "The message holds 60000 resources and scopes without spans, more than the limit of 50000."
    ]
