"""JSON that takes far more memory than bytes, found before anything is made of it."""

from __future__ import annotations

import re

_OBJECT, _LIST, _EMPTY = 192, 96, 72
"""Bytes that Python takes for an object or a list with few members, and for one without, its place in a list included
(`sys.getsizeof`, CPython 3.11 to 3.14)."""

_GROWTH, _ANYWAY = 18, 1 << 19
"""Objects and lists may take so many times the bytes of their message, and this much on top.

OTLP at its shortest, a list of lists (`{"arrayValue":{"values":[{"arrayValue":{"values":[]}}]}}`), takes 17.2 times its
bytes, a list of digits (`{"intValue":1}`) 12.8 times. What is made to take memory starts above that: `{"spans":[]}`
takes 20 times, `{}` and `{"a":1}` 24 times, `{"":{}}` 32 times."""

_NULLS = 1_000_000
"""Absent values (`{}`) in the lists of attributes are the one part of OTLP that is as short as that: so many may stand
in a message, 72 MB of them."""

_TEXT = rb"\"(?:[^\"\\]++|\\.)*+(?:\"|\\?+\Z)"
"""A text; one without an end goes to that of the message, or each escaped quotation mark in it would be tried, too."""

_TOKEN = re.compile(
    rb"\"values\"\s*+:\s*+\[(?P<nulls>(?:\s*+\{\s*+\}\s*+,?+)++)"
    rb"|" + _TEXT + rb"|\{\s*+\"[a-z]*+(?:V|_v)alue\"\s*+:\s*+(?:" + _TEXT + rb"|[-+.\w]++)\s*+\}"
    rb"(?P<more>(?:\s*+,\s*+\{\s*+\})*+)"
    rb"|(?P<empty>\{\s*+\}|\[\s*+\])|(?P<object>\{)|(?P<list>\[)",
    re.DOTALL,
)
"""A text, whatever stands in it; a value with the absent ones behind it; or where an object or a list begins."""


def is_bomb(value: bytes) -> bool:
    """Whether there are too many objects and lists in JSON for so few bytes."""
    room = _GROWTH * len(value) + _ANYWAY
    if value.count(b"{") * _OBJECT + value.count(b"[") * _LIST <= room:
        return False
    # Most of them stand in texts, perhaps, or are as small as they can be.
    nulls = 0
    for token in _TOKEN.finditer(value):
        match token.lastgroup:
            case "object":
                room -= _OBJECT
            case "list":
                room -= _LIST
            case "empty":
                room -= _EMPTY
            case "nulls":
                room -= _LIST
                nulls += token["nulls"].count(b"{")
            case "more":
                room -= _OBJECT
                nulls += token["more"].count(b"{")
        if room < 0 or nulls > _NULLS:
            return True
    return False
