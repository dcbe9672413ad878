"""Decoding in columns gives what decoding row by row gives, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloom.spans.limits import Limits
from tests.captures_truth import captures
from tests.fuzz import targets
from tests.fuzz.strategies import json_requests, requests
from tests.spans.reading.columns.two_ways import same
from tests.spans.reading.otlp_examples import request, span

SMALL = Limits(
    text=70,
    name=64,
    labels=2,
    value=66,
    attributes=3,
    resource=80,
    events=1,
    event_attributes=1,
    spans=6,
    rejects=1,
    nesting=2,
)


@pytest.mark.parametrize("limits", [Limits(), SMALL], ids=["limits", "small limits"])
@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_what_was_recorded(capture: object, limits: Limits) -> None:
    same(capture.messages, limits)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["protobuf", "otlp_json"])
def test_seeds_of_the_fuzzer(name: str) -> None:
    for seed in targets.seeds(name):
        same([seed])


@settings(max_examples=150, deadline=None)
@given(st.lists(requests() | json_requests(), max_size=3), st.sampled_from([Limits(), SMALL]))
def test_whatever_is_sent(values: list[bytes], limits: Limits) -> None:
    same(values, limits)


@settings(max_examples=150, deadline=None)
@given(requests() | json_requests(), st.data())
def test_any_damage(value: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, max(len(value) - 1, 0)))
    end = data.draw(st.integers(at, min(len(value), at + 8)))
    same([value[:at] + data.draw(st.binary(max_size=4)) + value[end:], value])


def test_messages_of_large_spans_beside_others() -> None:
    small, large = (
        request(*[span({"gen_ai.operation.name": "chat", "input.value": "a" * size})] * 3)
        for size in (10, 10_000)
    )
    bad = request(span({"input.value": "b" * 10_000}, trace_id=b""), span({"input.value": "c" * 10_000}))
    decoded = same([small, large, b"{}", small, bad, large])
    assert decoded.message.tolist() == [0, 0, 0, 1, 1, 1, 3, 3, 3, 4, 5, 5, 5]
    assert [reject.message for reject in decoded.rejects] == [2, 4]
