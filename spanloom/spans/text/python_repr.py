"""Python's `repr` of lists, dicts, texts and numbers, as the JSON of the same value.

Some SDKs write `str(value)` where others write JSON. It is translated word by word, never evaluated: what comes
from outside is only text.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from spanloom.spans.text.values import valid_text

LONGEST = 4 * 1024 * 1024
"""Longer texts stay as they are, in characters: a bound on what one attribute costs."""

# Possessive (`*+`): a text that does not end is found out in one pass.
_WORD = re.compile(
    r"""(?P<rest>[\s\[\]{}:,\d.eE+-]++)
    | '(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)'
    | "(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"
    | (?P<name>None|True|False|nan|inf)\b""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
"""Those that `repr` writes; of any other the backslash stays, as Python reads it."""

_quoted = json.JSONEncoder(ensure_ascii=False).encode

_NAMES = {"None": "null", "True": "true", "False": "false", "nan": "NaN", "inf": "Infinity"}


def as_json(text: str) -> str:
    """The JSON of the value whose `repr` this is, valid as `valid_text` is; a text that is no `repr` of a list or
    dict stays as it is.

    Only words are translated: brackets that don't match are no JSON afterwards either.
    """
    if text[:1] not in ("[", "{") or len(text) > LONGEST:
        return text
    written: list[str] = []
    position = 0
    for word in _WORD.finditer(text):
        if word.start() != position:
            return text
        position = word.end()
        kind = word.lastgroup
        if kind == "rest":
            written.append(word[0])
        elif kind == "name":
            written.append(_NAMES[word[0]])
        else:
            text_inside = unescaped(word["single"] if kind == "single" else word["double"])
            written.append(_quoted(text_inside))
    return valid_text("".join(written)) if position == len(text) else text


short_as_json = lru_cache(maxsize=8)(as_json)
"""The same for short texts that several readers read one after the other."""


def unescaped(body: str) -> str:
    """What stands between quotes, its escapes resolved."""
    return _ESCAPE.sub(_character, body) if "\\" in body else body


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return _ESCAPES.get(escape[4], escape[0])
