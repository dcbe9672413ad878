"""What the receiver takes for JSON with spans, or an empty export, is what workers take for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.receiver.requests.json_scopes import begins_with_spans, json_scopes
from spanloom.receiver.requests.split import split
from spanloom.spans.reading.wire.otlp_json import checked_json
from tests.captures_truth import Capture, captures
from tests.spans.reading.otlp_examples import otlp_json_bytes
from tests.spans.reading.otlp_json_dialects import DIALECTS
from tests.spans.reading.requests.test_shapes import SPANS, documents


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.__name__)
@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_every_recording_is_taken_at_first_sight(capture: Capture, dialect: Any) -> None:
    assert all(begins_with_spans(dialect(value)) for value in capture.messages)


def refused(body: bytes) -> str:
    try:
        list(json_scopes(body))
    except ValueError as error:
        return str(error)
    return ""


@given(documents, st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_the_receiver_refuses_what_would_be_a_dead_letter_and_nothing_else(
    document: Any, separators: tuple[str, str]
) -> None:
    body = json.dumps(document, separators=separators).encode()
    spans, problem = 0, ""
    try:
        _, found = checked_json(body)
        spans, problem = found.spans, found.problem
    except ValueError as error:
        problem = str(error)
    assert bool(refused(body)) == (bool(problem) and not spans)
    if not refused(body):
        assert sum(len(scope.spans) // 2 for scope in json_scopes(body)) == spans
    if begins_with_spans(body):
        assert not refused(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"resourceMetrics":[{}]}',
        b'{"resourceSpans":[{"spans":[{}]}]}',
        b'{"resourceSpans":null}',
        b"[]",
    ],
)
def test_what_is_not_taken_at_first_sight(body: bytes) -> None:
    assert not begins_with_spans(body)
    assert refused(body).startswith("The request is")


@pytest.mark.parametrize("before", ['"schemaUrl":"s",', '"resource":{"x":"' + "y" * 70_000 + '"},'])
def test_what_begins_otherwise_is_taken_at_second_sight(before: str) -> None:
    body = ('{"resourceSpans":[{' + before + '"scopeSpans":[' + json.dumps(SPANS) + "]}]}").encode()
    assert begins_with_spans(body) == (len(body) < 70_000)
    assert refused(body) == ""
    assert refused(b'{"new":1,' + body[1:]) == ""


def test_names_of_before_otlp_0_15_are_split_like_the_new_ones() -> None:
    older = json.dumps({"resourceSpans": [{"instrumentationLibrarySpans": [SPANS] * 9}]}).encode()
    newer = json.dumps({"resourceSpans": [{"scopeSpans": [SPANS] * 9}]}).encode()
    parts = split(older, "application/json", 400)
    assert len(parts.messages()) > 1
    assert parts.messages() == split(newer, "application/json", 400).messages()


def test_recordings_are_taken_whole_by_both_looks() -> None:
    for value in captures()[0].messages:
        assert refused(otlp_json_bytes(value)) == ""
