"""The whole of words of which only the beginning is at hand."""

from __future__ import annotations

from collections.abc import Iterator

from spanloom.spans.messages.recorded import recorded
from spanloom.spans.messages.texts import any_text, assistant_text, message_value, user_text
from spanloom.spans.messages.turns import Side
from spanloom.spans.text.values import valid_text

_LONGEST = 1 << 24
"""Characters of words that are read: more than a span may have."""


def whole_words(text: str, side: Side, beginning: str) -> str:
    """Return the words in the input (`side` is `user`) or output (`assistant`) of a span that begin so; empty where
    there are none.

    Args:
        beginning: what a preview has of them (`reading.span.previews`).
    """
    return next((words for words in _words(text, side) if words.startswith(beginning)), "")


def _words(text: str, side: Side) -> Iterator[str]:
    value = message_value(text)
    yield valid_text((user_text if side == "user" else assistant_text)(value, _LONGEST))
    yield valid_text(any_text(value, _LONGEST))
    words, others = recorded(text, side, _LONGEST)
    yield words
    yield from others
    yield valid_text(text)
