"""What is stored of a span explains it as what was sent does; where it can't, that is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spanloom.spans.conventions.own_entries import read_own_keys
from spanloom.spans.conventions.own_keys import with_own_keys
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.explaining.stored import ExplainedStored, StoredSpan, explain_stored
from spanloom.spans.folding.facts import Fact, facts_of
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.captures_truth import Capture, captures
from tests.spans.explaining.test_recordings import explained
from tests.spans.reading.otlp_examples import PARENT_ID, request, span

PRICES = Prices()


def stored(*messages: bytes, limits: Limits) -> list[tuple[StoredSpan, list[Fact]]]:
    """What is stored of messages: each span with the facts of its trace."""
    table = decode([OtlpMessage(value) for value in messages], limits=limits, prices=PRICES).table
    rows = {
        row["span_id"]: StoredSpan(
            int(row["span_id"], 16),
            row["provider"],
            dict(row["attributes"]),
            [(event["name"], dict(event["attributes"])) for event in row["events"]],
        )
        for row in table.select(["span_id", "provider", "attributes", "events"]).to_pylist()
    }
    version = pa.array(np.ones(table.num_rows, np.uint64))
    return [
        (rows[f"{fact.span_id:016x}"], facts)
        for _, facts in facts_of(table.append_column("version", version))
        for fact in facts
    ]


def one(given: Any, limits: Limits | None = None, vocabulary: Vocabulary = BUILT_IN) -> ExplainedStored:
    [(kept, facts)] = stored(request(given), limits=limits or Limits())
    found = explain_stored(kept, facts, vocabulary)
    assert found is not None
    return found


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_a_recording_is_explained_as_it_was_when_it_was_sent(capture: Capture) -> None:
    as_sent = {each.fact.span_id: each for trace in explained(*capture.messages) for each in trace.spans}
    for kept, facts in stored(*capture.messages, limits=Limits()):
        found = explain_stored(kept, facts, BUILT_IN)
        assert found is not None
        assert found.differs == []
        sent = as_sent[kept.span_id]
        assert (found.span.sources, found.span.unread) == (sent.sources, sent.unread)
        assert (found.span.usage, found.span.standing) == (sent.usage, sent.standing)
        # Without prices at hand the reason why there is none may be less exact.
        assert found.span.cost == sent.cost or found.span.cost.startswith("not known")


def test_what_was_cut_when_it_was_stored_is_told() -> None:
    usage = '{"filler":"' + "x" * 100 + '","input":7,"output":3}'
    found = one(span({"langfuse.observation.usage_details": usage}), Limits(value=64))
    assert found.span.cut == "attributes"
    assert found.differs == [("input_tokens", "7", "0"), ("output_tokens", "3", "0")]


def test_other_keys_than_it_was_stored_by_are_told() -> None:
    own = with_own_keys(read_own_keys([{"name": "acme", "field": "session_id"}]), "keys.toml")
    found = one(span({"acme": "mine", "session.id": "theirs"}), vocabulary=own)
    assert found.differs == [("session_id", "theirs", "mine")]


def test_a_span_below_others_of_which_nothing_is_known_is_not_judged() -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3}
    assert one(span(call)).span.standing
    assert one(span(call, parent_span_id=PARENT_ID)).span.standing == []
