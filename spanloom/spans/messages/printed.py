"""Words in the print of Python's chat messages, which some write where others write JSON.

Semantic Kernel's functions give `str()` of a list of these (semantic-kernel 1.45 (PyPI):
semantic_kernel/functions/kernel_function.py); of a stream it is a message for each piece.
"""

from __future__ import annotations

import re

from spanloom.spans.text.python_repr import LONGEST, unescaped

_CONTENT = "TextContent("

# What stands between quotes is passed over: it is what somebody said, whatever it looks like. Possessive (`*+`), so
# that a text without an end is found out in one pass.
_WORD = re.compile(
    r"""(?P<begins>\b(?:Streaming)?TextContent\()
    | (?:\b(?P<text>text=))?(?:'(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)' | "(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)")""",
    re.DOTALL | re.VERBOSE,
)


def printed_words(text: str) -> str:
    """What is said by the messages whose print this is; empty where it holds none."""
    if _CONTENT not in text or len(text) > LONGEST:
        return ""
    said: list[str] = []
    begun = False
    for word in _WORD.finditer(text):
        if word["begins"]:
            begun = True
        elif begun and word["text"]:
            said.append(unescaped(word["double"] if word["single"] is None else word["single"]))
            begun = False
    return "".join(said)
