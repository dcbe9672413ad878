"""Hostile spans for hypothesis: whatever can stand under the keys that conventions read, and anywhere else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fuzz.words import EVENTS, INDEXES, KEYS, MEMBERS, NUMBERS, PREFIXES, RESTS, TIMES, WORDS
from tests.spans.reading.otlp_examples import key_values, otlp_json

# Text that protobuf takes: no lone surrogates. JSON below spells those by itself.
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["", "\x00", "\u202eשלום\u2066", "👨‍👩‍👧‍👦" * 500, "x" * 5000, "\ufeff", "\x7f\x1b[0m"]
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**400, -1])
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from([*WORDS, *NUMBERS]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """JSON, some of it cut, damaged or nested deep; with escapes of lone surrogates."""
    text = json.dumps(draw(json_values))
    damage = draw(st.integers(0, 5))
    if damage == 1:
        return text[: draw(st.integers(0, len(text)))]
    if damage == 2:
        depth = draw(st.sampled_from([8, 100, 199, 200, 201, 990, 5000]))
        opening, closing = draw(st.sampled_from([("[", "]"), ('{"content":', "}"), ('{"parts":[', "]}")]))
        return opening * depth + text + closing * depth
    if damage == 3:
        return draw(st.sampled_from([" ", "\n\t", "\ufeff", '["\\ud800",'])) + text
    return text


attribute_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | _texts
    | st.binary(max_size=40)
    | st.sampled_from(NUMBERS)
    | json_texts(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=6,
)

_indexes = st.sampled_from(INDEXES) | st.integers(0, 40).map(str)
_rests = st.sampled_from(RESTS)
keys = (
    st.sampled_from(KEYS)
    | st.builds("{}{}.{}".format, st.sampled_from(PREFIXES), _indexes, _rests)
    | st.builds("{}{}".format, st.sampled_from(PREFIXES), _texts)
    | _texts
)
attributes = st.dictionaries(keys, attribute_values, max_size=8)

_times = st.sampled_from(TIMES)
_trace_ids = st.sampled_from([b"t" * 16] * 4 + [b"u" * 16, bytes(16), b"", b"t" * 15])
_span_ids = st.sampled_from([*(bytes([0] * 7 + [n]) for n in range(1, 7)), b"\xff" * 8, bytes(8), b"x"])
_events = st.tuples(
    st.sampled_from(EVENTS), _times, st.dictionaries(st.sampled_from(MEMBERS), attribute_values, max_size=3)
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """A span, mostly with valid IDs."""
    span = Span(
        trace_id=draw(_trace_ids),
        span_id=draw(_span_ids),
        parent_span_id=draw(st.just(b"") | _span_ids),
        name=draw(_texts),
        start_time_unix_nano=draw(_times),
        end_time_unix_nano=draw(_times),
        flags=draw(st.sampled_from([0, 0x100, 0x300, 2**32 - 1])),
        attributes=key_values(draw(attributes)),
    )
    if draw(st.booleans()):
        span.attributes.extend(key_values(draw(attributes)))  # keys that stand twice
    for name, time, some in draw(st.lists(_events, max_size=3)):
        span.events.add(name=name, time_unix_nano=time, attributes=key_values(some))
    if draw(st.booleans()):
        span.status.code = draw(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 2))  # type: ignore[assignment]
        span.status.message = draw(_texts)
    return span


_resources = st.dictionaries(
    st.sampled_from(["service.name", "spanloom.project_id", "spanloom.truncated"]) | _texts,
    attribute_values,
    max_size=3,
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """An ExportTraceServiceRequest of a few resources, scopes and spans."""
    request = ExportTraceServiceRequest()
    for some in draw(st.lists(st.lists(spans(), max_size=3), min_size=1, max_size=2)):
        resource = request.resource_spans.add()
        if draw(st.booleans()):
            resource.resource.attributes.extend(key_values(draw(_resources)))
        resource.scope_spans.add().spans.extend(some)
    return request.SerializeToString()


_json_anything = st.recursive(
    json_values,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "resourceSpans",
                        "resource_spans",
                        "scopeSpans",
                        "spans",
                        "resource",
                        "attributes",
                        "key",
                    ),
                    *("value", "stringValue", "intValue", "doubleValue", "boolValue", "bytesValue", "values"),
                    *("arrayValue", "kvlistValue", "traceId", "spanId", "parentSpanId", "events", "status"),
                    *("code", "flags", "name", "startTimeUnixNano", "timeUnixNano", "message"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@st.composite
def json_requests(draw: st.DrawFn) -> bytes:
    """OTLP JSON in which some members are something else altogether."""
    document: Any = otlp_json(draw(requests()))
    for _ in range(draw(st.integers(0, 3))):
        holder: Any = document
        for _ in range(draw(st.integers(0, 12))):
            places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            below = [place for place in places if isinstance(holder[place], dict | list)]
            if not below:
                break
            holder = holder[draw(st.sampled_from(below))]
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if places:
            holder[draw(st.sampled_from(places))] = draw(_json_anything)
    return json.dumps(document).encode()
