"""Whatever a text says, its HTML runs nothing, loads nothing, closes what it opens, and is there in bounded time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.marked import marked
from spanloom.dashboard.rendering.printable import printable, verbatim
from spanloom.dashboard.rendering.texts import attribute_html, prose, value_html
from spanloom.warehouse.queries.answers import Snippet
from tests.dashboard.rendering.corpus import HOSTILE, LARGE
from tests.dashboard.rendering.reader import Attributes, read

SECONDS = 5.0
"""Far more than it takes on a quiet machine (under one), and far less than anything unbounded."""

BYTES = 12_000_000
"""Of HTML for a megabyte of text: every character of it may need to be escaped."""

hostile = st.sampled_from(HOSTILE)
texts = st.one_of(
    hostile,
    st.text(max_size=200),
    st.lists(st.sampled_from((*HOSTILE, *"[]()<>!*_`~|\\&#\n\t \"'{}:/-=+.1a")), max_size=40).map("".join),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                texts,
                st.sampled_from(
                    (
                        "role", "content", "parts", "type", "text", "message", "messages", "choices", "tool_calls",
                        "function", "name", "arguments", "id", "kwargs", "image_url", "url", "data", "mime_type",
                        "inlineData", "source", "functionCall", "functionResponse", "reasoning", "summary", "prompt",
                        "system", "finish_reason", "audio", "refusal", "function_call", "thinking", "result",
                    )
                ),
            ),
            inner,
            max_size=5,
        ),
        st.fixed_dictionaries(
            {
                "role": st.one_of(texts, st.sampled_from(("user", "assistant", "tool", "system"))),
                "content": inner,
            }
        ),
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(
                    ("text", "image_url", "image", "tool_use", "tool_result", "reasoning", "constructor", "input_audio",
                     "function_call", "function_call_output", "tool_call", "tool-result", "human", "blob", "refusal")
                ),
                "content": inner,
            },
            optional={"text": inner, "kwargs": inner, "image_url": inner, "arguments": inner, "summary": inner},
        ),
    ),
    max_leaves=20,
)  # fmt: skip


def page(html: str) -> str:
    """As a page sends it: everything goes through `printable`, and out as UTF-8."""
    return printable(html).encode().decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_text(text: str) -> None:
    for html in (
        prose(text, Budget()),
        value_html(text, Budget(), "user"),
        value_html(json.dumps([{"role": "user", "content": text, "name": text}]), Budget(), "user"),
        value_html(json.dumps({text: [text, {text: text}]}), Budget(), "assistant"),
        attribute_html(text, Budget()),
        attribute_html(json.dumps([text]), Budget()),
    ):
        seen = read(page(html))
        assert "evil.example/pixel" not in "".join(seen.images)
    everything = "\n\n".join(HOSTILE)
    read(page(value_html(everything, Budget(), "user")))


@settings(deadline=None)
@given(texts)
def test_any_text_is_only_text(text: str) -> None:
    for html in (
        prose(text, Budget()),
        value_html(text, Budget(), "assistant"),
        attribute_html(text, Budget()),
    ):
        read(page(html))


@settings(deadline=None)
@given(values, st.sampled_from(("user", "assistant")))
def test_any_value_is_only_text(value: object, side: str) -> None:
    text = json.dumps(value)
    read(page(value_html(text, Budget(), side)))  # type: ignore[arg-type]
    read(page(attribute_html(text, Budget(nodes=3))))
    read(page(value_html(text, Budget(markdown=10, nodes=2), side)))  # type: ignore[arg-type]


@settings(deadline=None)
@given(texts, st.lists(st.integers(0, 60), max_size=6).map(sorted))
def test_a_snippet_is_only_text_and_its_hits_are_marked(text: str, cuts: list[int]) -> None:
    ends = [cut for cut in cuts if cut <= len(text)]
    ranges = list(zip(ends[::2], ends[1::2], strict=False))
    snippet = Snippet(field="input", text=text, ranges=ranges, cut_before=True, cut_after=False)
    seen = read(page(marked(snippet)))
    assert "".join(seen.text) == "…" + page(text).replace("\r\n", "\n").replace("\r", "\n") or "\r" in text


@pytest.mark.parametrize("name", LARGE)
def test_a_large_text_is_there_in_bounded_time(name: str) -> None:
    text = LARGE[name]
    ways: dict[str, Callable[[], Markup]] = {
        "value": lambda: value_html(text, Budget(), "user"),
        "attribute": lambda: attribute_html(text, Budget()),
        "prose": lambda: prose(text, Budget()),
    }
    for render in ways.values():
        begin = time.process_time()
        html = page(render())
        assert time.process_time() - begin < SECONDS
        assert 0 < len(html) < BYTES
        read(html)


def test_a_page_of_the_worst_texts_is_there_in_bounded_time() -> None:
    budget = Budget()
    begin = time.process_time()
    for number in range(100):
        prose(f"{number}" + "[" * 4_000, budget)
    assert time.process_time() - begin < SECONDS


@given(st.text())
def test_nothing_invisible_is_left_that_reorders_or_breaks_a_page(text: str) -> None:
    shown = printable(text + "\0\ud800\u202e\x1b")
    assert not set(shown) & set("\0\x01\x1b\x7f\ud800\u202a\u202b\u202d\u202e")
    shown.encode()
    assert printable(shown) == shown


# Python's reader of HTML drops references to control characters, which browsers keep: a browser test has one.
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"])))
def test_an_id_comes_out_of_an_attribute_as_it_went_in(text: str) -> None:
    read_back = Attributes()
    read_back.feed(printable(f'<b title="{verbatim(text)}\u202e{verbatim(chr(0x202E))}">'))
    assert read_back.titles == [f"{text}⟨RLO⟩\u202e"]


def test_honest_texts_stay_as_they_are() -> None:
    for text in ("a\tb\r\nc", "العربية \u200f עברית", "👩‍👩‍👧‍👦", "\u2067right to left\u2069", "naïve café"):
        assert printable(text) == text
