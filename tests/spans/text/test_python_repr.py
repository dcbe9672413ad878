"""What `repr` wrote becomes the JSON of the same value, and hostile text becomes nothing worse than text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.conventions.vocabulary import BUILT_IN
from spanloom.spans.text.python_repr import LONGEST, as_json
from spanloom.spans.text.values import valid_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("'\"\\\n\r\t\x00\x7f\xa0\u200d👩nux")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside) | st.dictionaries(TEXTS, inside), max_leaves=20
)
CONTAINERS = st.lists(VALUES) | st.dictionaries(TEXTS, VALUES)
NAMES = ["usage", "object", "model", "messages", "input", "choices", "output", "content"]


@given(CONTAINERS)
def test_it_is_the_same_value(value: object) -> None:
    assert json.loads(as_json(repr(value))) == value


@given(st.lists(st.text(st.characters(categories=["Cs", "Ll", "So"]))))
def test_lone_surrogates_become_valid_text(texts: list[str]) -> None:
    assert json.loads(as_json(repr(texts))) == [valid_text(text) for text in texts]


@given(st.text() | st.text("[{]}'\"\\,:xuUNn0 -").map("[".__add__), st.sampled_from(NAMES))
def test_any_text_is_read(text: str, member: str) -> None:
    valid_text(as_json(text)).encode()
    for _, _, read in BUILT_IN.rules[f"llm.openai.{member}"]:
        if read is not None:
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "None",
        "('a',)",
        "[Message(content='a')]",
        "[print('a')]",
        "['a",
        "['a\\",
        "[Nonesense]",
        "[<object object at 0x7f>]",
        "[" + "1," * LONGEST,
    ],
)
def test_what_is_no_list_or_dict_of_such_values_stays(text: str) -> None:
    assert as_json(text) == text


def test_escapes_that_repr_does_not_write() -> None:
    assert json.loads(as_json(r"['\q\xzz\U00110000\ud83d\ude00']")) == ["\\q\\xzz\ufffd😀"]


@pytest.mark.parametrize("text", ["'", "'a", "['\\", "'\\'", "\\", "{", "['a', ", "[\"'", "-1e", "\\U0"])
def test_long_hostile_texts_take_linear_time(text: str) -> None:
    hostile = "[" + text * (1_000_000 // len(text))
    begun = time.process_time()
    as_json(hostile)
    assert time.process_time() - begun < 5
