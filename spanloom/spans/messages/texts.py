"""What a person said and what the assistant answered: the text of one turn of a message value."""

from __future__ import annotations

from collections.abc import Callable

from spanloom.spans.messages.contents import words_of
from spanloom.spans.messages.finding import newest_first
from spanloom.spans.messages.turns import Side, role_of
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
    return _last_words(value, "user", "user".__eq__, longest)


def any_text(value: object, longest: int | None = None) -> str:
    """What anybody said last in a prompt, at most `longest` characters of it: where there is no user, the system."""
    return _last_words(value, "user", "tool".__ne__, longest)


def assistant_text(value: object, longest: int | None = None) -> str:
    """What the assistant answered, at most `longest` characters of it: the last message with a text, of several
    choices the first; empty for a pure tool call. A plain text is the answer."""
    if isinstance(value, str):
        return value[:longest]
    return _last_words(value, "assistant", _is_assistant, longest)


def _is_assistant(role: str) -> bool:
    return role not in _NOT_ASSISTANT


def _last_words(value: object, side: Side, speaks: Callable[[str], bool], longest: int | None) -> str:
    """The words of the last turn that has any, of those whose role `speaks`."""
    found = _last_words_of_list(value, speaks, longest) if isinstance(value, list) else None
    if found is not None:
        return found
    for turn in newest_first(value, side):
        if turn is not None and speaks(turn.role) and (text := turn.text(longest)):
            return text
    return ""


def _last_words_of_list(
    value: list[object], speaks: Callable[[str], bool], longest: int | None
) -> str | None:
    """The same of a list of messages that have a role each, as most values are, in a fraction of the time; None of any
    other list."""
    for message in reversed(value):
        if not isinstance(message, dict) or not isinstance(name := message.get("role"), str):
            return None
        role = role_of(name)
        if speaks(role) and (text := words_of(message, role, longest)):
            return text
    return ""
