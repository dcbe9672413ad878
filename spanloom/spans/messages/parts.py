"""What a chat message is made of: words, thoughts, calls of tools, their results, media, and what nobody knows.

Words are a text. Any other part holds what was sent and reads it when it is asked: of most messages nobody wants
more than the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spanloom.spans.text.parsing import parse_json

Members = Mapping[str, object]

TEXT_KINDS = frozenset(("text", "input_text", "output_text", "message"))
"""Types of parts that hold words."""

_ARGUMENTS = ("arguments", "args", "input", "parameters")
_RESULTS = ("result", "response", "output", "content", "parts")
_NAMES = ("name", "toolName", "tool_name")
_CALL_IDS = ("id", "call_id", "tool_call_id", "toolCallId", "tool_use_id")


@dataclass(slots=True, frozen=True)
class Reasoning:
    """What the model thought and nobody was sent."""

    sent: Members

    @property
    def text(self) -> str:
        """Its words; `(hidden)` where they are encrypted."""
        return _joined(self.sent, "text", "content", "thinking", "reasoning", "summary") or "(hidden)"


@dataclass(slots=True, frozen=True)
class Call:
    """A tool was asked for."""

    sent: Members

    @property
    def name(self) -> str:
        """The tool's."""
        return word(self._function, *_NAMES)

    @property
    def arguments(self) -> object:
        """A JSON value, or a text that is no JSON."""
        function = self._function
        found = (function[key] for key in _ARGUMENTS if function.get(key) is not None)
        return _json_or_text(next(found, None))

    @property
    def call_id(self) -> str:
        """By which the result names it."""
        return word(self.sent, *_CALL_IDS)

    @property
    def _function(self) -> Members:
        function = self.sent.get("function")
        return function if isinstance(function, dict) else self.sent


@dataclass(slots=True, frozen=True)
class Result:
    """A tool answered: a part, or a whole message of a tool."""

    sent: Members

    @property
    def name(self) -> str:
        """The tool's."""
        return word(self.sent, *_NAMES)

    @property
    def content(self) -> object:
        """A JSON value, or a text that is no JSON; a list of text parts is their text."""
        found = (self.sent[key] for key in _RESULTS if self.sent.get(key) is not None)
        return _json_or_text(next(found, None))

    @property
    def call_id(self) -> str:
        """The call that it answers."""
        return word(self.sent, *_CALL_IDS)


@dataclass(slots=True, frozen=True)
class Media:
    """A picture, sound, film or file."""

    label: str
    """Such as `[image: image/png]`."""
    sent: Members

    @property
    def words(self) -> str:
        """The transcript of sound, in the part or directly below it (OpenAI)."""
        inside = (member for member in self.sent.values() if isinstance(member, dict))
        return next(filter(None, (word(level, "transcript") for level in (self.sent, *inside))), "")


@dataclass(slots=True, frozen=True)
class Other:
    """A part of a form that nobody knows."""

    sent: object


Part = str | Reasoning | Call | Result | Media | Other


def plain_text(parts: Iterable[Part], longest: int | None = None) -> str:
    """What parts say in a text, joined by line breaks: words, and the label of media without any; thoughts and tools
    say nothing. Of parts beyond `longest` characters none is read."""
    texts: list[str] = []
    characters = 0
    for part in parts:
        if isinstance(part, str):
            text = part
        elif isinstance(part, Media):
            text = part.words or part.label
        else:
            continue
        texts.append(text)
        characters += len(text)
        if longest is not None and characters >= longest:
            break
    return "\n".join(texts)[:longest]


def kind_of(part: Members) -> str:
    """The type that a part names; empty where it names none."""
    kind = part.get("type")
    return kind if isinstance(kind, str) else ""


def word(value: Members, *members: str) -> str:
    """The first of these members that is a text and not empty; else an empty one."""
    for member in members:
        found = value.get(member)
        if isinstance(found, str) and found:
            return found
    return ""


def _joined(part: Members, *members: str) -> str:
    """The first of these members that is a text, or a list of parts with texts."""
    for member in members:
        value = part.get(member)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list):
            inside = (item.get("text") if isinstance(item, dict) else item for item in value)
            texts = [text for text in inside if isinstance(text, str) and text]
            if texts:
                return "\n".join(texts)
    return ""


def _json_or_text(value: object) -> object:
    """A text that holds a JSON list or object as that, a list of text parts as their text; everything else as it
    is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return parse_json(value)
        except ValueError:
            return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        texts = [part.get("text") for part in value if isinstance(part, dict) and kind_of(part) in TEXT_KINDS]
        if texts and len(texts) == len(value) and all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts)
    return value
