"""What a person said and what the assistant answered: the text of one turn of a message value."""

from __future__ import annotations

from spanloom.spans.messages.finding import newest_first
from spanloom.spans.text.parsing import parse_json

_NOT_ASSISTANT = frozenset(("user", "system", "tool"))


def message_value(text: str) -> object:
    """The message value of an attribute's text: JSON where it is JSON, else the text itself."""
    if text[:1] in ("[", "{", '"') or text[:1].isspace():
        try:
            return parse_json(text)
        except ValueError:
            return text
    return text


def user_text(value: object, longest: int | None = None) -> str:
    """What the user said last, at most `longest` characters of it; empty if no message of a user has any text."""
    for turn in newest_first(value, "user"):
        if turn is not None and turn.role == "user" and (text := turn.text(longest)):
            return text
    return ""


def any_text(value: object, longest: int | None = None) -> str:
    """What anybody said last in a prompt, at most `longest` characters of it: where there is no user, the system."""
    for turn in newest_first(value, "user"):
        if turn is not None and turn.role != "tool" and (text := turn.text(longest)):
            return text
    return ""


def assistant_text(value: object, longest: int | None = None) -> str:
    """What the assistant answered, at most `longest` characters of it: the last message with a text, of several
    choices the first; empty for a pure tool call. A plain text is the answer."""
    if isinstance(value, str):
        return value[:longest]
    for turn in newest_first(value, "assistant"):
        if turn is not None and turn.role not in _NOT_ASSISTANT and (text := turn.text(longest)):
            return text
    return ""
