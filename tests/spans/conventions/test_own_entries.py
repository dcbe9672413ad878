"""A sentence for each mistake in the entries of a user's own keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.conventions.own_entries import OwnKeysError, read_own_keys
from spanloom.spans.conventions.own_keys import FIELDS, with_own_keys
from tests.spans.conventions.test_own_keys import key


def mistakes(*entries: object) -> tuple[str, ...]:
    with pytest.raises(OwnKeysError) as caught:
        read_own_keys(entries)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (7, "key 1 is no table: write each key under a line `[[key]]`"),
        ({"field": "model"}, "key 1: `name` is missing: add it"),
        ({"name": "a"}, "key 1 (a): `field` is missing: add it"),
        (key("a", "model", nmae=1), "key 1 (a): there is no member `nmae`: use name, field, place, at,"),
        (key("a", "sesion_id"), "key 1 (a): there is no field `sesion_id`: did you mean session_id?"),
        (key("a", "xyzzy"), "there is no field `xyzzy`: docs/conventions.md lists them"),
        (key("a", "input_flattened"), "there is no field `input_flattened`"),
        (key("a", "cut"), "there is no field `cut`"),
        (key("", "model"), "key 1 (): `name` must be a text: correct it"),
        (key(" a", "model"), "`name` must have at most 256 characters, without blanks around it"),
        (key("a" * 257, "model"), "`name` must have at most 256 characters"),
        (key("a\nb", "model"), "`name` must have at most 256 characters"),
        ({"name": 1, "field": "model"}, "key 1: `name` must be a text"),
        (key("a", "model", place="first"), "`place` must be 'ahead' or 'behind'"),
        (key("a", "model", place=[]), "`place` must be 'ahead' or 'behind'"),
        (key("a", "model", at=""), "`at` must be names with dots between"),
        (key("a", "model", at="a..b"), "`at` must be names with dots between"),
        (key("a", "model", at=[]), "`at` must be names with dots between"),
        (key("a", "model", at=["a", 1]), "`at` must be names with dots between"),
        (
            key("a", "model", values={"a": "LLM"}),
            "`values` is for keys of span_type and span_type_if_used and",
        ),
        (key("a", "span_type", values={}), "`values` must be a table such as"),
        (key("a", "span_type", values=["LLM"]), "`values` must be a table such as"),
        (
            key("a", "span_type", values={"a": "llm"}),
            "`values` has 'llm' for 'a': use one of DEFAULT, LLM,",
        ),
        (key("a", "span_type", values={"a": 1}), "`values` has 1 for 'a': use one of"),
        (key("a", "status", values={"a": "LLM"}), "use one of error, ok"),
        (
            key("a", "model", unit="ms"),
            "`unit` is for keys of first_token_after, not of model: remove it",
        ),
        (key("a", "first_token_after", unit="min"), "`unit` must be 's' or 'ms'"),
        (key("a", "input_tokens", beside="b"), "`beside` is for keys of cache_read_tokens and"),
        (
            key("a", "cache_read_tokens", beside="b"),
            "key 1 (a): `beside` must name a key of input_tokens, which b is not",
        ),
        (
            key("a", "model", number=40_000),
            "`number` is for keys of session_id and user_id, not of model",
        ),
        (key("a", "session_id", number=1), "`number` must be a whole number from 32768 to 65535"),
        (key("a", "session_id", number=True), "`number` must be a whole number"),
        (key("a", "session_id", number="40000"), "`number` must be a whole number"),
        (key("a.*", "model"), "only a key of metadata has a `*`, at its end"),
        (key("a.*.b", "metadata"), "only a key of metadata has a `*`, at its end"),
        (key("*", "metadata"), "only a key of metadata has a `*`, at its end"),
        (key("a.*", "metadata", at="b"), "`at` can't be used with a `*`"),
        (
            key("gen_ai.prompt.0.*", "metadata"),
            "gen_ai.prompt.* are read as messages: choose another beginning",
        ),
        (
            key("session.id", "session_id", number=40_000),
            "only its `place` can be changed: remove `number`",
        ),
        (key("model", "model", at="a"), "only its `place` can be changed: remove `at`"),
    ],
)
def test_a_mistake_is_a_sentence(entry: object, sentence: str) -> None:
    [found] = mistakes(entry)
    assert sentence in found
    assert "\n" not in found


def test_one_key_twice() -> None:
    [found] = mistakes(key("a", "model"), key("b", "model"), key("a", "model", place="behind"))
    assert found == ("key 3 (a): key 1 has the same `name` and `field`: remove one; `at` takes several paths")


def test_all_mistakes_are_told() -> None:
    found = mistakes(
        key("a", "modle", place="top"), key("b", "model"), 7, key("c", "cache_read_tokens", beside="a")
    )
    assert [each.split(":")[0].split(" is ")[0] for each in found] == [
        "key 1 (a)",
        "key 1 (a)",
        "key 3",
        "key 4 (c)",
    ]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["name", "field", "place", "at", "values", "unit", "beside", "number", "x"]),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text()
                | st.sampled_from([*FIELDS]),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
                max_leaves=4,
            ),
        ),
        max_size=3,
    )
)
def test_whatever_a_file_holds_it_is_used_or_refused_with_sentences(entries: list[object]) -> None:
    told: tuple[str, ...] = ()
    try:
        with_own_keys(read_own_keys(entries), "keys.toml")
    except OwnKeysError as error:
        told = error.mistakes or ("",)
    assert all(each.startswith("key ") for each in told)
