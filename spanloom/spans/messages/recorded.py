"""What a function around the calls of a model was given and gave back: its words, where it has any.

Such an input or output is a text, messages, or the function's arguments and result as JSON. The words in it tell which
of the words in a call's messages are the person's, and which answer was given (docs/conventions.md, Input and output of
a trace).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from spanloom.spans.messages.contents import DEEPEST
from spanloom.spans.messages.finding import holds_nothing, newest_first
from spanloom.spans.messages.printed import printed_words
from spanloom.spans.messages.texts import assistant_text, message_value, user_text
from spanloom.spans.messages.turns import Side
from spanloom.spans.text.values import valid_text

MAX_TEXTS = 16
"""At most this many texts are taken out of JSON."""

_LOOKED_AT = 1000
"""Members of JSON that are looked at."""

_ASKED = frozenset(
    [
        "question",
        "query",
        "input",
        "message",
        "prompt",
        "task",
        "text",
        "content",
        "request",
        "user_input",
        "user_message",
        "user_query",
        "user_prompt",
        "inputs",
        "q",
        "goal",
        "instruction",
        "utterance",
        "transcript",
    ]
)
_ANSWERED = frozenset(
    [
        "output",
        "answer",
        "response",
        "result",
        "reply",
        "completion",
        "text",
        "content",
        "message",
        "generation",
        "outputs",
        "final_output",
        "final_answer",
        "final_response",
        "return_value",
    ]
)
_NAMES = {"user": _ASKED, "assistant": _ASKED | _ANSWERED}

_OBJECT = re.compile(
    r"[\s\[(]*(?:[A-Z]\w*\((?:\w+=|\)\s*$|<|\*)|<[\w.]+(?: [\w.<>]+)* (?:object )?at 0x[0-9a-f]+)"
)
"""How the print of an object begins, or of a list of them: `StopEvent(result=…`, `<function chat at 0x7f…`."""


class Recorded(NamedTuple):
    """The words of an input or output."""

    text: str
    """What was said; empty where the value is JSON without one certain text."""
    others: tuple[str, ...]
    """Further texts in the JSON, in their order."""


def recorded(text: str, side: Side, longest: int) -> Recorded:
    """Return the words in an input (`side` is `user`) or output (`assistant`).

    Args:
        text: the attribute's text.
        side: whose words they are where nothing says it.
        longest: at most so many characters are kept of the text, and of all others together.
    """
    value = message_value(text)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    if isinstance(value, str):
        words = printed_words(value) if _OBJECT.match(value) else value
        return Recorded(valid_text(words[:longest]), ())
    said = ""
    if not holds_nothing(value, side):
        said = user_text(value, longest) if side == "user" else assistant_text(value, longest)
        said = "" if _OBJECT.match(said) else valid_text(said)
    if said and _holds_messages(value, side):
        return Recorded(said, ())
    found: dict[str, bool] = {}
    left = longest
    for name, inside in _strings(value):
        is_named = name in _NAMES[side]
        if (is_named or " " in inside.strip()) and not _OBJECT.match(inside) and inside != said:
            if len(inside) > left:
                continue
            left -= len(inside)
            known = valid_text(inside)
            found[known] = found.get(known, False) or is_named
            if len(found) == MAX_TEXTS:
                break
    if not said and len(found) == 1:
        [(only, is_named)] = found.items()
        if is_named or side == "user":
            return Recorded(only, ())
    return Recorded(said, tuple(found))


def _holds_messages(value: object, side: Side) -> bool:
    """Whether it is certain that these are messages of a conversation."""
    return any(turn is not None and turn.certain for turn in newest_first(value, side))


def _strings(value: object) -> Iterator[tuple[str, str]]:
    """The texts in a JSON value, each with the name of the member it stands in, the outermost first."""
    level: list[tuple[str, object]] = [("", value)]
    looked_at = 0
    for _ in range(DEEPEST):
        deeper: list[tuple[str, object]] = []
        for name, item in level:
            looked_at += 1
            if looked_at > _LOOKED_AT:
                return
            if isinstance(item, str):
                if item.strip():
                    yield name, item
            elif isinstance(item, dict):
                deeper.extend((key.lower(), member) for key, member in islice(item.items(), _LOOKED_AT))
            elif isinstance(item, list):
                deeper.extend((name, member) for member in item[:_LOOKED_AT])
            if len(deeper) > _LOOKED_AT:
                break
        if not deeper:
            return
        level = deeper
