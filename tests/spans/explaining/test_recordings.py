"""What is explained of a recording is what is read and folded of it."""

from __future__ import annotations

import re

import pytest

from spanloom.spans.conventions.vocabulary import BUILT_IN
from spanloom.spans.explaining.trace import ExplainedTrace, explain
from spanloom.spans.folding.trace.usage import tokens_of
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage
from tests.captures_truth import Capture, captures

PRICES = Prices()


def explained(*messages: bytes) -> list[ExplainedTrace]:
    found, rejects = explain(
        [OtlpMessage(value) for value in messages], limits=Limits(), prices=PRICES, vocabulary=BUILT_IN
    )
    assert rejects == []
    return found


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_a_recording(capture: Capture) -> None:
    for found in explained(*capture.messages):
        trace, reasons = found.trace, found.reasons
        assert [each.value for each in reasons.sessions[:1]] == [trace.session_id][: bool(reasons.sessions)]
        assert bool(reasons.sessions) == bool(trace.session_id)
        assert [each.value for each in reasons.users[:1]] == [trace.user_id][: bool(trace.user_id)]
        assert (reasons.input, reasons.output) == (trace.input, trace.output)
        assert (bool(reasons.why_input), bool(reasons.why_output)) == (bool(trace.input), bool(trace.output))
        names = {f"({span.fact.span_id:016x})" for span in found.spans}
        for why in (reasons.why_input, reasons.why_output):
            assert set(re.findall(r"\([0-9a-f]{16}\)", why)) <= names
            assert not why or re.search(r"\([0-9a-f]{16}\)", why)
        counting = [span.fact for span in found.spans if "its tokens count" in span.standing]
        counters = trace.counters
        assert sum(map(tokens_of, counting)) == (
            counters.input_tokens + counters.output_tokens + counters.unsplit_tokens
        )
        for at, span in enumerate(found.spans):
            assert span.above < at
            given = {source.field: source.given[0].value for source in span.sources}
            assert given.get("session_id", "") == span.fact.session_id
            assert given.get("user_id", "") == span.fact.user_id
            assert given.get("model", "") == span.fact.model
            assert span.span_type in {"DEFAULT", given.get("span_type", given.get("span_type_if_used", ""))}
            # Each span that uses tokens says by which rule, and each priced one by which price.
            assert bool(span.usage) == bool(tokens_of(span.fact))
            assert not span.fact.priced or span.cost
            assert not span.cost.startswith("not known") or not span.fact.priced
            assert span.standing or not tokens_of(span.fact)
