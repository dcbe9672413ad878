"""Characters that a page can't show, or that would reorder what stands around them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_TROUBLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\u202a\u202b\u202d\u202e\ufffe\uffff]"
)
_NAMES = {"\u202a": "⟨LRE⟩", "\u202b": "⟨RLE⟩", "\u202d": "⟨LRO⟩", "\u202e": "⟨RLO⟩"}


def printable(text: str) -> str:
    """Return the text or HTML with such characters replaced by ones that can be seen.

    Control characters become their pictures (␀), lone surrogates and the like U+FFFD. The old bidirectional
    embeddings and overrides are named, because "gpj.exe" shown as "exe.jpg" is a lie; marks and isolates, which
    honest texts in Arabic or Hebrew need, stay. No replacement means anything in HTML, so whole pages may
    go through this.
    """
    return _TROUBLE.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    character = found[0]
    if character < " ":
        return chr(0x2400 + ord(character))
    return _NAMES.get(character, "␡" if character == "\x7f" else "\ufffd")


def verbatim(text: str) -> Markup:
    """A text for an attribute whose value is used and not shown: an ID to copy or to ask for.

    Character references keep it out of `printable`'s hands. Only U+0000 and the C1 controls can't be written so.
    """
    return Markup(_TROUBLE.sub(_reference, str(escape(text))))


def _reference(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\0" or "\x80" <= found[0] <= "\x9f" else f"&#{ord(found[0])};"
