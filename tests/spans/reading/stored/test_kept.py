"""What was cut when a span was stored keeps what it is when it is read again; all else is read anew."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from spanloom.spans.conventions.own_entries import read_own_keys
from spanloom.spans.conventions.own_keys import with_own_keys
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import TRUNCATED, Limits
from spanloom.spans.pricing.price_table import PriceTable
from spanloom.spans.pricing.prices import Prices
from tests.spans.reading.otlp_examples import event, request, span
from tests.spans.reading.stored.rereading import differences, replayed, stored

LIMITS = Limits(text=4096, value=64, name=64, events=2, event_attributes=2)

CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
}


def vocabulary(**keys: str) -> Vocabulary:
    """The built-in one with keys of one's own: name by field."""
    entries = [{"name": name, "field": field} for field, name in keys.items()]
    return with_own_keys(read_own_keys(entries), "keys.toml")


CUT: dict[str, dict[str, Any]] = {
    "an input that is text": {"input.value": "long " * 100},
    "messages in JSON": {
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": "what? " * 100}]}]
        )
    },
    "messages spread over attributes": {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "what? " * 100,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "that " * 100,
    },
    "an input that is longer than its limit": {
        "input.value": json.dumps([{"role": "user", "content": "x" * 9000}])
    },
    "both too long": {"input.value": "a" * 9000, "output.value": "b" * 9000},
    "usage in a text that is cut": {
        "gcp.vertex.agent.llm_response": json.dumps(
            {
                "content": {"role": "model", "parts": [{"text": "that " * 100}]},
                "usage_metadata": {
                    "prompt_token_count": 7,
                    "candidates_token_count": 3,
                    "total_token_count": 10,
                },
            }
        )
    },
    "usage of which nothing else is kept": {
        "langfuse.observation.usage_details": '{"filler":"' + "x" * 100 + '","input":7,"output":3}'
    },
    "a session in metadata": {"metadata": json.dumps({"filler": "x" * 100, "session_id": "s1"})},
    "tags": {"langfuse.trace.tags": json.dumps(["tag " * 8, "other " * 8, "third"])},
    "what the trace was asked": {
        "langfuse.trace.input": "what? " * 100,
        "langfuse.trace.output": "that " * 100,
    },
    "a long session": {"session.id": "s" * 2000},
    "a cost": {"langfuse.observation.cost_details": '{"filler":"' + "x" * 100 + '","total":0.25}'},
    "many attributes": {f"a{number}": number for number in range(300)},
}


@pytest.mark.parametrize("attributes", CUT.values(), ids=list(CUT))
@pytest.mark.parametrize("call", [CALL, {}], ids=["a call", "no call"])
def test_nothing_changes_under_the_same_rules(attributes: dict[str, Any], call: dict[str, Any]) -> None:
    limits = Limits(text=4096, value=64, name=64, attributes=200)
    rows = stored([request(span(call | attributes))], limits)
    assert TRUNCATED in dict(rows["attributes"][0].as_py())
    assert differences(rows, replayed(rows, limits=limits)) == []
    assert differences(rows, replayed(replayed(rows, limits=limits), limits=limits)) == []


@pytest.mark.parametrize("attributes", CUT.values(), ids=list(CUT))
def test_nothing_becomes_shorter_where_limits_are_lower_today(attributes: dict[str, Any]) -> None:
    rows = stored([request(span(CALL | attributes))], Limits(text=16384, value=80, attributes=200))
    again = replayed(rows, limits=Limits(text=1024, value=64, attributes=16))
    assert differences(rows, again) == []


def test_a_resource_that_was_cut_still_names_the_service() -> None:
    resource = {
        "a": "x" * 900,
        "service.name": "shop",
        "deployment.environment": "live",
        "service.version": "7",
    }
    limits = Limits(resource=800)
    rows = stored([request(span({}), resource=resource)], limits)
    assert dict(rows["resource"][0].as_py()) == {TRUNCATED: "resource"}
    again = replayed(rows, limits=limits)
    assert differences(rows, again) == []
    assert [again[name][0].as_py() for name in ("service_name", "environment", "release")] == [
        "shop",
        "live",
        "7",
    ]


def test_messages_in_events_that_were_cut() -> None:
    asked = event("gen_ai.user.message", {"content": "what? " * 100})
    answered = event(
        "gen_ai.choice", {"message": json.dumps({"role": "assistant", "content": "that " * 100})}
    )
    rows = stored([request(span(CALL, events=[asked, answered, event("more", {})]))], LIMITS)
    assert dict(rows["attributes"][0].as_py())[TRUNCATED] == "events"
    assert len(rows["input"][0].as_py()) > 600
    assert differences(rows, replayed(rows, limits=LIMITS)) == []


def test_a_new_key_names_the_session_of_a_span_whose_input_was_cut() -> None:
    rows = stored([request(span(CALL | {"input.value": "long " * 100, "acme.chat": "mine"}))], LIMITS)
    again = replayed(rows, limits=LIMITS, vocabulary=vocabulary(session_id="acme.chat"))
    assert {name for _, name, _, _ in differences(rows, again)} == {"session_id", "session_key"}
    assert again["session_id"][0].as_py() == "mine"


def test_a_new_key_of_an_input_that_was_cut_shows_as_much_as_is_there() -> None:
    rows = stored([request(span({"acme.question": "long " * 100}))], LIMITS)
    again = replayed(rows, limits=LIMITS, vocabulary=vocabulary(input="acme.question"))
    assert again["input"][0].as_py() == ("long " * 100)[:64]
    assert dict(again["attributes"][0].as_py())[TRUNCATED] == "attributes"


def test_prices_are_asked_anew_but_stated_costs_stay() -> None:
    cheap, dear = (
        Prices(PriceTable([{"model": "gpt-4o-mini", "input": price, "output": 2 * price}]))
        for price in (1, 10)
    )
    spans = [
        span(CALL | {"input.value": "long " * 100}, span_id=bytes([1] * 8)),
        span(CALL | {"gen_ai.usage.cost": 0.25}, span_id=bytes([2] * 8)),
    ]
    rows = replayed(stored([request(*spans)], LIMITS), prices=cheap, limits=LIMITS)
    assert rows["total_cost"].to_pylist() == [0.0012, 0.25]
    again = replayed(rows, prices=dear, limits=LIMITS)
    assert again["total_cost"].to_pylist() == [0.012, 0.25]
    assert differences(again, replayed(again, prices=dear, limits=LIMITS)) == []


def test_what_was_cut_is_read_from_the_output_that_has_it_whole() -> None:
    cheap, dear = (
        Prices(PriceTable([{"model": "house-1", "input": price, "output": price}])) for price in (1, 10)
    )
    attributes = CUT["usage in a text that is cut"] | {"gen_ai.request.model": "house-1"}
    rows = replayed(stored([request(span(attributes))], LIMITS), prices=cheap, limits=LIMITS)
    assert rows.select(["input_tokens", "total_cost"]).to_pylist() == [
        {"input_tokens": 7, "total_cost": 0.00001}
    ]
    assert replayed(rows, prices=dear, limits=LIMITS)["total_cost"].to_pylist() == [0.0001]


def test_tokens_in_a_text_that_is_lost_keep_their_cost() -> None:
    dear = Prices(PriceTable([{"model": "gpt-4o-mini", "input": 10, "output": 10}]))
    attributes = CUT["usage of which nothing else is kept"] | {"gen_ai.request.model": "gpt-4o-mini"}
    asked = json.dumps([{"role": "user", "content": "Why?"}])
    rows = stored([request(span(attributes | {"gen_ai.input.messages": asked}))], LIMITS)
    # Without its tokens it would be no call.
    assert rows.select(["span_type", "input_tokens", "input_preview"]).to_pylist() == [
        {"span_type": "LLM", "input_tokens": 7, "input_preview": "Why?"}
    ]
    assert differences(rows, replayed(rows, prices=dear, limits=LIMITS)) == []


def test_a_start_in_the_future_is_priced_as_of_when_it_came() -> None:
    over_time = Prices(
        PriceTable(
            [
                {"model": "gpt-4o-mini", "input": 1, "output": 1},
                {"model": "gpt-4o-mini", "input": 9, "output": 9, "from": date(2050, 1, 1)},
            ]
        )
    )
    in_2100 = 4_102_444_800 * 10**9
    rows = stored([request(span(CALL, start_time_unix_nano=in_2100, end_time_unix_nano=in_2100))])
    assert replayed(rows, prices=over_time)["total_cost"].to_pylist() == [0.0011]
