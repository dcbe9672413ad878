"""The print of Python's chat messages: what they say, and nothing that only looks like it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.messages.printed import printed_words
from spanloom.spans.messages.recorded import recorded


@dataclass
class TextContent:
    """A part of a message, by the name that it has in Semantic Kernel."""

    inner_content: object
    text: str


@dataclass
class StreamingTextContent(TextContent):
    """The same in a stream."""


@dataclass
class ChatMessageContent:
    """A message."""

    inner_content: object
    items: list[TextContent]


@given(st.lists(st.text()), st.text(), st.booleans())
def test_what_parts_say_is_found_and_nothing_else(texts: list[str], other: str, streamed: bool) -> None:
    part = StreamingTextContent if streamed else TextContent
    raw = {"text": other, "print": f"TextContent(text='{other}')", "said": repr(TextContent(None, other))}
    messages = [ChatMessageContent(raw, [part(None, text) for text in texts])]
    assert printed_words(str(messages)) == "".join(texts)


def test_a_print_in_json_is_read_too() -> None:
    pieces = [[ChatMessageContent(None, [StreamingTextContent(None, text)])] for text in ("It's ", "here.")]
    for text in (str(pieces), json.dumps([str(pieces)])):
        assert recorded(text, "assistant", 100) == ("It's here.", ())


def test_any_other_print_has_no_words() -> None:
    for text in (
        "[Document(id='1', page_content='some words')]",
        "(Point(x=1), Point(x=2))",
        "[[Answer(text=",
    ):
        assert recorded(text, "assistant", 100) == ("", ())
    assert recorded("[A note] (Berlin)", "assistant", 100) == ("[A note] (Berlin)", ())
