"""Readers: from an attribute's text to a field's value, None where it is not valid."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from spanloom.spans.conventions.fields import Reader
from spanloom.spans.table import MAX_COST, MAX_TOKENS
from spanloom.spans.text.parsing import parse_json
from spanloom.spans.text.values import json_text, valid_text

_SHORT_NUMBER = 12
"""Fewer digits than this are no absurd number."""

_LONGEST_NUMBER = 64
"""A number in more characters than this is taken for garbage."""


def tokens(text: str) -> int | None:
    """A count of tokens: an int, a double or a numeric string. Negative, NaN or absurdly many is None."""
    if len(text) < _SHORT_NUMBER and text.isdecimal() and text.isascii():
        return int(text)
    number = _number(text)
    return int(number) if number is not None and 0 <= number <= MAX_TOKENS else None


def some_tokens(text: str) -> int | None:
    """A count of tokens above 0: many senders write 0 for every kind of token that a call didn't have."""
    return tokens(text) or None


def cost(text: str) -> float | None:
    """USD: an int, a double or a numeric string. Negative, NaN or absurdly much is None."""
    value = _number(text)
    return float(value) if value is not None and 0 <= value <= MAX_COST else None


def _number(text: str) -> float | None:
    """A finite decimal number; Python's own freedoms (`1_000`, digits of other scripts) are no numbers."""
    if len(text) > _LONGEST_NUMBER or "_" in text or not text.isascii():
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def up_to_first_dot(text: str) -> str | None:
    """`openai` of `openai.chat`."""
    return text.partition(".")[0] or None


def choice(kinds: Mapping[str, str]) -> Reader:
    """A reader that knows these words, in any case, and nothing else."""

    def read(text: str) -> str | None:
        return kinds.get(text) or kinds.get(text.lower())

    return read


# The readers of one key come one after another; more than two large objects should not be held.
@lru_cache(maxsize=2)
def json_object(text: str) -> Mapping[str, object]:
    """The members of a JSON object; none where the text is something else."""
    if text[:1] != "{":
        return {}
    try:
        value = parse_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def tags(text: str) -> tuple[str, ...]:
    """Tags: an array, or a JSON array in a string (both arrive as JSON here); another text is one tag."""
    value: object = None
    if text[0] == "[":
        try:
            value = parse_json(text)
        except ValueError:
            value = None
    found = map(item_text, value) if isinstance(value, list) else (text,)
    return tuple(valid_text(tag) for tag in found if tag)


def entries(text: str) -> tuple[tuple[str, str], ...]:
    """The members of a JSON object as names and texts, those without a text left out."""
    pairs = ((name, item_text(value)) for name, value in json_object(text).items())
    return tuple((valid_text(name), valid_text(value)) for name, value in pairs if name and value)


def unquoted(text: str) -> str:
    """The text that a JSON string says; any other text as it is."""
    if text[:1] != '"':
        return text
    try:
        value = parse_json(text)
    except ValueError:
        return text
    return valid_text(value) if isinstance(value, str) else text


def item_text(value: object) -> str:
    """A JSON value as text, as an attribute with this value would read."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def number_at(*path: str) -> Reader:
    """A reader of a count inside a JSON object, at this path of names."""

    def read(text: str) -> int | None:
        value: object = json_object(text)
        for name in path:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return count(value)

    return read


def cost_at(name: str) -> Reader:
    """A reader of an amount in USD in a JSON object."""

    def read(text: str) -> float | None:
        value = json_object(text).get(name)
        return None if value is None or isinstance(value, bool) else cost(str(value))

    return read


def inside(paths: Sequence[str], read: Reader | None) -> Reader:
    """A reader of a member of a JSON object: the first of these paths (names with dots between) with a valid value.

    Args:
        paths: where it may be.
        read: how its text is read; None: the text as it is.
    """
    names = [path.split(".") for path in paths]

    def find(text: str) -> object:
        for path in names:
            value: object = json_object(text)
            for name in path:
                value = value.get(name) if isinstance(value, Mapping) else None
            inner = item_text(value)
            found = inner if not inner or read is None else read(inner)
            if inner and found is not None:
                return found
        return None

    return find


def count(value: object) -> int | None:
    """A count of tokens in JSON; None for what is none."""
    if value is None or isinstance(value, (bool, list, dict)):
        return None
    return tokens(str(value))


_SCRUBBED = re.compile(
    r"\s*(?:\[(?:Scrubbed due to .*|(?:redacted|filtered|masked|scrubbed|removed|hidden|sensitive)[^\]]*)\]"
    r"|<(?:redacted|filtered|masked|scrubbed|removed|hidden)[^>]*>|\*{3,}|_*REDACTED_*)\s*",
    re.IGNORECASE | re.DOTALL,
)


_SCRUBBED_BEGIN = frozenset(
    (*"[<*_Rr", "", *map(chr, filter(lambda code: chr(code).isspace(), range(0x3001))))
)
"""How a text begins that is blank or what a scrubber writes: most IDs begin otherwise."""


def identity(text: str) -> str | None:
    """An ID; None where a scrubber put something in its place (`[Scrubbed due to 'session']`)."""
    text = unquoted(text)
    if text[0:1] not in _SCRUBBED_BEGIN:
        return None if text == "None" else text
    return None if not text.strip() or _SCRUBBED.fullmatch(text) else text


def comma_tags(text: str) -> tuple[str, ...]:
    """Tags separated by commas, or as `tags` reads them."""
    return tags(text) if text[:1] == "[" else tuple(tag for part in text.split(",") if (tag := part.strip()))


def true(text: str) -> str | None:
    """`true`, and nothing else."""
    return "true" if text == "true" else None


def seconds(text: str) -> float | None:
    """A duration in seconds."""
    value = _number(text)
    return float(value) if value is not None and value >= 0 else None


def milliseconds(text: str) -> float | None:
    """Seconds of a duration in milliseconds."""
    value = seconds(text)
    return None if value is None else value / 1000


def moment(text: str) -> int | None:
    """Nanoseconds since the epoch of a time as ISO 8601 writes it, also as a JSON string, or twice one."""
    text = unquoted(unquoted(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return int(time.timestamp() * 1_000_000) * 1000
