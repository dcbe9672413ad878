"""Which attribute gave each field of a span, and what decided on its tokens and its cost."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.spans.conventions.vocabulary import BUILT_IN
from spanloom.spans.explaining.trace import ExplainedSpan, explain
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage
from tests.spans.reading.otlp_examples import event, key_values, request, span

PRICES = Prices()

Keys = list[str]


def explained(given: Any, limits: Limits | None = None) -> ExplainedSpan:
    [trace], rejects = explain(
        [OtlpMessage(request(given))], limits=limits or Limits(), prices=PRICES, vocabulary=BUILT_IN
    )
    assert rejects == []
    [found] = trace.spans
    return found


def sources(given: Any) -> dict[str, tuple[Keys, Keys]]:
    """For each field the keys that gave it, and those that lost."""
    return {
        source.field: ([each.key for each in source.given], [each.key for each in source.lost])
        for source in explained(given).sources
    }


CALL: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


class TestFields:
    def test_the_best_key_gives_it_and_the_others_lose_in_their_order(self) -> None:
        names = {"model": "c", "gen_ai.request.model": "b", "gen_ai.response.model": "a"}
        [model] = [each for each in explained(span(names)).sources if each.field == "model"]
        assert [(each.key, each.value) for each in model.given] == [("gen_ai.response.model", "a")]
        assert [each.key for each in model.lost] == ["gen_ai.request.model", "model"]

    def test_of_a_key_that_stands_twice_the_last_one_is_told(self) -> None:
        twice = span({"session.id": "first"})
        twice.attributes.extend(key_values({"session.id": "last"}))
        [session] = [each for each in explained(twice).sources if each.field == "session_id"]
        assert ([each.value for each in session.given], list(session.lost)) == (["last"], [])

    def test_a_value_inside_json_is_told_with_its_attribute(self) -> None:
        usage = '{"input":3,"output":4}'
        found = explained(span({"langfuse.observation.usage_details": usage}))
        [given] = [each.given[0] for each in found.sources if each.field == "input_tokens"]
        assert (given.key, given.text, given.value) == ("langfuse.observation.usage_details", usage, "3")

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            ({"input.value": "a", "gen_ai.prompt": "b"}, (["gen_ai.prompt"], ["input.value"])),
            (
                {"input.value": "a", "llm.input_messages.0.message.content": "b"},
                (["llm.input_messages.0.message.content"], ["input.value"]),
            ),
            (
                {"input.value": "a", "gen_ai.tool.call.arguments": "b"},
                (["input.value"], ["gen_ai.tool.call.arguments"]),
            ),
            (
                {"openinference.span.kind": "TOOL", "input.value": "a", "gen_ai.tool.call.arguments": "b"},
                (["gen_ai.tool.call.arguments"], ["input.value"]),
            ),
        ],
    )
    def test_an_input_for_which_several_kinds_of_keys_compete(
        self, attributes: dict[str, Any], expected: tuple[Keys, Keys]
    ) -> None:
        assert sources(span(attributes))["input"] == expected

    def test_messages_in_events(self) -> None:
        events = [event("gen_ai.user.message", {"content": "hi"})]
        assert sources(span(CALL, events=events))["input"] == (["events of the span that hold messages"], [])

    def test_all_tags_and_metadata_are_told(self) -> None:
        sent = {
            "tag.tags": ["a"],
            "langfuse.trace.tags": ["b"],
            "metadata": '{"x":"1"}',
            "mastra.metadata.y": "2",
        }
        found = sources(span(sent))
        assert found["tags"] == (["langfuse.trace.tags", "tag.tags"], [])
        assert found["metadata"] == (["metadata", "mastra.metadata.y"], [])

    def test_a_type_that_no_key_gives(self) -> None:
        found = sources(span({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3}))
        assert found["span_type"] == (["no key gives it, but it has usage and a model"], [])
        assert "span_type" not in sources(span({"model": "m"}))

    def test_known_keys_that_say_nothing_valid(self) -> None:
        found = explained(
            span({"gen_ai.usage.input_tokens": "many", "session.id": "[redacted]", "other": "x"})
        )
        assert [each.key for each in found.unread] == ["gen_ai.usage.input_tokens", "session.id"]

    def test_an_attribute_beyond_the_limit_gives_nothing(self) -> None:
        sent = {f"langfuse.trace.metadata.{at}": "x" for at in range(15)}
        sent |= {"gen_ai.request.model": "kept", "gen_ai.response.model": "left out"}
        found = explained(span(sent), Limits(attributes=16))
        [model] = [each for each in found.sources if each.field == "model"]
        assert (found.fact.model, [each.value for each in model.given], found.cut) == (
            "kept",
            ["kept"],
            "attributes",
        )

    def test_what_was_cut(self) -> None:
        found = explained(span({"input.value": "x" * 2000}), Limits(text=1024, value=64))
        assert found.cut == "attributes,input"


def counts(**tokens: int) -> dict[str, Any]:
    return CALL | {f"gen_ai.usage.{name}": count for name, count in tokens.items()}


class TestUsage:
    @pytest.mark.parametrize(
        ("attributes", "words"),
        [
            (CALL, []),
            (counts(input_tokens=3, output_tokens=4), ["no cached tokens and no reasoning are stated"]),
            (counts(total_tokens=9), ["only a total is stated"]),
            (counts(total_tokens=9) | {"gen_ai.operation.name": "embeddings"}, ["is all input"]),
            (counts(input_tokens=3, total_tokens=9), ["is the rest of the total"]),
            (
                counts(input_tokens=30, output_tokens=4, cached_tokens=9, total_tokens=34),
                ["the total is input and output, so the parts are inside"],
            ),
            (
                counts(input_tokens=30, output_tokens=4, cached_tokens=9, total_tokens=43),
                ["these were beside, and are added"],
            ),
            (counts(input_tokens=3, output_tokens=4, cached_tokens=9), ["larger than its whole"]),
            (
                counts(input_tokens=3, output_tokens=4) | {"anthropic.usage.compaction.input_tokens": 50},
                ["no cached tokens and no reasoning are stated", "the compaction of the conversation used"],
            ),
            (counts(input_tokens=30, output_tokens=4, cached_tokens=9), ["nothing says otherwise"]),
            (
                counts(input_tokens=30, output_tokens=4, total_tokens=40)
                | {"gen_ai.request.model": "gemini-2.5-pro"},
                [
                    "the model thought (Gemini)",
                    "counts reasoning beside the output",
                    "so the parts are inside",
                ],
            ),
            (
                CALL
                | {
                    "ai.usage.inputTokens": 30,
                    "ai.usage.cachedInputTokens": 9,
                    "ai.usage.totalTokens": 39,
                },
                ["these were beside, and are added"],
            ),
        ],
    )
    def test_the_rule_is_told(self, attributes: dict[str, Any], words: list[str]) -> None:
        usage = explained(span(attributes)).usage
        assert len(usage) == len(words)
        assert all(word in sentence for word, sentence in zip(words, usage, strict=True))


class TestCost:
    @pytest.mark.parametrize(
        ("attributes", "words"),
        [
            (counts(input_tokens=3, output_tokens=4), "its tokens by the price of gpt-4o"),
            (counts(input_tokens=3) | {"gen_ai.usage.cost": 0.5}, "as the span states it"),
            (
                counts(input_tokens=3) | {"llm.cost.prompt": 0.5},
                "the sum of what the span states of its parts",
            ),
            (
                counts(input_tokens=3) | {"gen_ai.usage.cost": 0},
                "the span states 0, but tokens of gpt-4o have",
            ),
            (
                counts(input_tokens=3) | {"gen_ai.usage.cost": 0, "gen_ai.request.model": "nobody-knows"},
                "the span states 0, and no other price is known",
            ),
            (
                counts(input_tokens=3) | {"gen_ai.request.model": "nobody-knows"},
                "not known: no price for nobody-knows",
            ),
            (CALL, "not known: no usage told: neither tokens nor a cost"),
            (counts(total_tokens=9), "not known: only a total told"),
            ({"openinference.span.kind": "CHAIN"}, ""),
        ],
    )
    def test_the_reason_is_told(self, attributes: dict[str, Any], words: str) -> None:
        cost = explained(span(attributes)).cost
        assert cost.startswith(words)
        assert bool(cost) == bool(words)
