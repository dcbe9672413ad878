"""Keys of a user's own: ahead of the built-in ones or behind them, stored by numbers that no file can mix up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.conventions.fields import FIRST_MERGED, Field
from spanloom.spans.conventions.own_entries import OwnKeysError, read_own_keys
from spanloom.spans.conventions.own_keys import FIELDS, own_number, with_own_keys
from spanloom.spans.conventions.precedence.identity import OWN_NUMBERS, SESSION_KEYS
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.spans.reading.otlp_examples import LIMITS, PRICES, request, rows, span

KEY = TraceKey("default", bytes(16))

# Two names of one number, found by trying.
SAME_NUMBER = ("acme.session.228", "acme.session.326")


TEXTS = [
    ("session_id", "session.id"),
    ("user_id", "user.id"),
    ("model", "gen_ai.response.model"),
    ("provider", "gen_ai.system"),
    ("environment", "langfuse.environment"),
    ("response_id", "gen_ai.response.id"),
    ("input", "langfuse.observation.input"),
    ("output", "gen_ai.output.messages"),
]
"""Fields whose keys all read a text alike, with one of these."""


def key(name: str, field: str, **members: object) -> dict[str, object]:
    return {"name": name, "field": field, **members}


def vocabulary(*entries: object) -> Vocabulary:
    return with_own_keys(read_own_keys(entries), "keys.toml")


def row(attributes: dict[str, Any], *entries: object) -> dict[str, Any]:
    """The row of a span with these attributes, read with these keys."""
    message = OtlpMessage(request(span(attributes)))
    decoded = decode([message], limits=LIMITS, prices=PRICES, vocabulary=vocabulary(*entries))
    [found] = rows(decoded)
    return found


class TestPlaces:
    @given(
        field=st.sampled_from(TEXTS),
        places=st.lists(st.sampled_from(["ahead", "behind"]), min_size=1, max_size=4),
        data=st.data(),
    )
    def test_the_first_ahead_wins_then_the_built_in_then_the_first_behind(
        self, field: tuple[str, str], places: list[str], data: st.DataObject
    ) -> None:
        column, built_in = field
        entries = [key(f"acme.{at}", column, place=place) for at, place in enumerate(places)]
        sent = data.draw(st.lists(st.sampled_from([*range(len(places)), built_in]), min_size=1, unique=True))
        ahead = [at for at in sent if at != built_in and places[int(at)] == "ahead"]
        behind = [at for at in sent if at != built_in and places[int(at)] == "behind"]
        expected = min(ahead) if ahead else built_in if built_in in sent else min(behind)
        attributes = {at if at == built_in else f"acme.{at}": f"text {at}" for at in sent}
        assert row(attributes, *entries)[column] == f"text {expected}"

    def test_no_built_in_key_moves_but_by_its_name(self) -> None:
        own = vocabulary(key("acme", "model"), key("acme.late", "model", place="behind"))
        built_in = BUILT_IN.precedence[Field.MODEL]
        assert own.precedence[Field.MODEL] == ("acme", *built_in, "acme.late")
        moved = vocabulary(key("model", "model")).precedence[Field.MODEL]
        assert moved == ("model", *(name for name in built_in if name != "model"))

    def test_a_moved_key_is_read_as_before_and_keeps_its_number(self) -> None:
        sent = {"session.id": "explicit", "thread_id": "thread"}
        assert (row(sent)["session_id"], row(sent)["session_key"]) == ("explicit", 3)
        found = row(sent, key("thread_id", "session_id"))
        assert (found["session_id"], found["session_key"]) == ("thread", 24)

    def test_without_keys_it_is_the_built_in_vocabulary(self) -> None:
        assert vocabulary() is BUILT_IN

    def test_two_vocabularies_stand_side_by_side(self) -> None:
        sent = {"acme": "a", "gen_ai.request.model": "b"}
        assert row(sent, key("acme", "model"))["model"] == "a"
        assert row(sent)["model"] == "b"
        assert row(sent, key("acme", "model"))["model"] == "a"


class TestReading:
    @pytest.mark.parametrize("field", FIELDS)
    def test_every_field_takes_keys(self, field: str) -> None:
        found = vocabulary(key("acme.any", field))
        [rule] = found.rules["acme.any"]
        assert rule[:2] == (FIELDS[field], 1)

    @pytest.mark.parametrize(
        ("sent", "entry", "column", "expected"),
        [
            ({"acme": '{"a":{"b":7}}'}, key("acme", "input_tokens", at="a.b"), "input_tokens", 7),
            ({"acme": {"a": {"b": 7}}}, key("acme", "input_tokens", at="a.b"), "input_tokens", 7),
            ({"acme": '{"b":"7"}'}, key("acme", "input_tokens", at=["a.b", "b"]), "input_tokens", 7),
            ({"acme": '{"b":-7}'}, key("acme", "input_tokens", at="b"), "input_tokens", 0),
            ({"acme": "none"}, key("acme", "input_tokens", at="b"), "input_tokens", 0),
            ({"acme": '{"id":"s1"}'}, key("acme", "session_id", at="id"), "session_id", "s1"),
            ({"acme": '{"l":["b","a"]}'}, key("acme", "tags", at="l"), "tags", ["a", "b"]),
            ({"acme": "Ask"}, key("acme", "span_type", values={"ask": "LLM"}), "span_type", "LLM"),
            ({"acme": "tool"}, key("acme", "span_type"), "span_type", "TOOL"),
            ({"acme": "else"}, key("acme", "span_type", values={"ask": "LLM"}), "span_type", "DEFAULT"),
            ({"acme": "bad"}, key("acme", "status", values={"bad": "error"}), "status", "error"),
            ({"acme": 250}, key("acme", "first_token_after", unit="ms"), "time_to_first_token", 0.25),
            ({"acme": 0.25}, key("acme", "first_token_after"), "time_to_first_token", 0.25),
            ({"acme": "[Scrubbed due to 'x']"}, key("acme", "session_id"), "session_id", ""),
            ({"acme.team": "red"}, key("acme.*", "metadata"), "metadata", {"team": "red"}),
        ],
    )
    def test_a_value(
        self, sent: dict[str, Any], entry: dict[str, object], column: str, expected: object
    ) -> None:
        assert row(sent, entry)[column] == expected

    def test_parts_beside_the_whole_are_added(self) -> None:
        sent = {"acme.in": 500, "acme.cached": 100}
        whole, part = key("acme.in", "input_tokens"), key("acme.cached", "cache_read_tokens")
        assert row(sent, whole, part)["input_tokens"] == 500
        assert row(sent, whole, part | {"beside": "acme.in"})["input_tokens"] == 600

    def test_a_text_without_json_is_what_the_user_asked(self) -> None:
        sent = {"acme.kind": "LLM", "acme.asked": "Why?"}
        found = row(sent, key("acme.kind", "span_type"), key("acme.asked", "input"))
        assert (found["input_preview"], found["marks"]) == ("Why?", 1)

    def test_a_name_that_a_template_reads_stays_what_it_was(self) -> None:
        sent = {"llm.openai.usage": '{"prompt_tokens":3,"completion_tokens":4}'}
        found = row(sent, key("llm.openai.usage", "model"))
        assert (found["input_tokens"], found["output_tokens"]) == (3, 4)
        assert found["model"] == sent["llm.openai.usage"]

    def test_a_part_of_a_message_stays_one(self) -> None:
        sent = {"llm.input_messages.0.message.content": "Why?", "llm.input_messages.0.message.role": "user"}
        found = row(sent, key("llm.input_messages.0.message.content", "model"))
        assert "Why?" in found["input"]

    def test_of_a_prefix_that_knows_more_than_a_template_the_prefix_reads_a_name(self) -> None:
        found = row({"mastra.metadata.input": "x"})
        assert (found["input"], found["metadata"]) == ("", {"input": "x"})
        found = row({"mastra.acme.input": "x"}, key("mastra.acme.*", "metadata"))
        assert (found["input"], found["metadata"]) == ("", {"input": "x"})

    def test_what_knows_more_of_the_beginning_reads_a_name(self) -> None:
        sent = {"llm.openai.model": "gpt-4o", "llm.openai.other": "x"}
        found = row(sent, key("llm.*", "metadata"))
        assert (found["model"], found["metadata"]) == ("gpt-4o", {"openai.other": "x"})


class TestNumbers:
    def test_the_number_follows_from_the_name_alone(self) -> None:
        # It is stored: changing it moves keys in every database out there.
        assert own_number("acme.conversation") == 59311
        assert own_number("acme.conversation") in OWN_NUMBERS

    @given(st.permutations(["acme.a", "acme.b", "acme.c", "acme.d"]))
    def test_the_order_of_the_file_changes_no_number(self, names: list[str]) -> None:
        own = vocabulary(*(key(name, "session_id") for name in names))
        numbers = [own.session_keys[rank] for rank in (1, 2, 3, 4)]
        assert numbers == [own_number(name) for name in names]

    def test_a_stored_key_finds_its_place_after_the_file_has_changed(self) -> None:
        stored = [
            Fact(1, session_key=own_number("acme.a"), session_id="a"),
            Fact(2, start_time=1, session_key=own_number("acme.b"), session_id="b"),
            Fact(3, start_time=2, session_key=3, session_id="built-in"),
        ]

        def session(*entries: object) -> str:
            return fold(KEY, stored, vocabulary(*entries).identity).session_id

        a, b = key("acme.a", "session_id"), key("acme.b", "session_id")
        assert [session(a, b), session(b, a)] == ["a", "b"]
        assert session(a | {"place": "behind"}, b | {"place": "behind"}) == "built-in"
        # A key that is not in the file any more comes last.
        assert session() == "built-in"

    def test_what_was_stored_of_a_key_that_spanloom_has_learnt_since_stands_where_it_does(self) -> None:
        name = "session.id"
        stored = [
            Fact(1, session_key=own_number(name), session_id="as one's own"),
            Fact(2, start_time=1, session_key=2, session_id="of Langfuse"),
        ]
        ahead = vocabulary(key(name, "session_id")).identity
        behind = vocabulary(key(name, "session_id", place="behind")).identity
        assert fold(KEY, stored, ahead).session_id == "as one's own"
        assert fold(KEY, stored, behind).session_id == "of Langfuse"

    def test_two_names_of_one_number_are_a_mistake_until_one_is_given_another(self) -> None:
        first, second = SAME_NUMBER
        number = own_number(first)
        assert own_number(second) == number
        with pytest.raises(OwnKeysError) as caught:
            vocabulary(key(first, "session_id"), key(second, "session_id"))
        [sentence] = caught.value.mistakes
        assert sentence.startswith(f"key 2 ({second}): it would be stored as number {number}, as {first} is")
        free = number + 1 if number + 1 in OWN_NUMBERS else number - 1
        own = vocabulary(key(first, "session_id"), key(second, "session_id", number=free))
        assert [own.session_keys[1], own.session_keys[2]] == [number, free]
        # Sessions and users have numbers of their own.
        vocabulary(key(first, "session_id"), key(second, "user_id"))

    def test_built_in_numbers_are_not_touched(self) -> None:
        own = vocabulary(key("acme", "session_id"))
        built_in = {own.session_keys[rank] for rank in range(2, len(SESSION_KEYS) + 2)}
        assert built_in == {each.number for each in SESSION_KEYS}


def test_fields_that_take_all_they_are_given_take_own_keys_too() -> None:
    sent = {
        "acme.tags": ["b"],
        "langfuse.trace.tags": ["a"],
        "acme.labels": '{"x":"1"}',
        "metadata": '{"y":"2"}',
    }
    found = row(sent, key("acme.tags", "tags"), key("acme.labels", "metadata", place="behind"))
    assert (found["tags"], found["metadata"]) == (["a", "b"], {"x": "1", "y": "2"})
    assert FIRST_MERGED == Field.TAGS
