"""Long texts, folded: all is in the page, so that searching in it finds it, and nothing needs a script."""

from __future__ import annotations

from markupsafe import Markup

LONG_CHARACTERS = 1_800
LONG_LINES = 24

_FOLD = Markup(
    '<div class="fold"><details><summary><span class="more">Show all {} characters</span>'
    '<span class="less">Show less</span></summary></details><div class="folded">{}</div></div>'
)
_PLAIN = Markup('<div class="plain" dir="auto">{}</div>')
_REST = Markup('{}<details class="rest"><summary>{} more characters</summary>{}</details>')

_COUNT = Markup('<data value="{}" data-as="count">{:,}</data>')

FIRST_CHARACTERS = 50_000
"""Characters of a very long text that are laid out before anybody asks for the rest."""

CHUNK = 20_000
"""Characters of a line of the rest. A browser lays out a line of a million characters slowly, many shorter ones fast,
and only where they are seen."""


def fold(html: Markup, text: str) -> Markup:
    """Fold the HTML of a text where the text is long."""
    if len(text) <= LONG_CHARACTERS and text.count("\n") < LONG_LINES:
        return html
    return _FOLD.format(_count(len(text)), html)


def plain(text: str) -> Markup:
    """A text as it stands, line breaks and all; the rest of a very long one when it is asked for."""
    if len(text) <= FIRST_CHARACTERS:
        return _PLAIN.format(text)
    first, rest = text[:FIRST_CHARACTERS], text[FIRST_CHARACTERS:]
    chunks = Markup("").join(_PLAIN.format(rest[at : at + CHUNK]) for at in range(0, len(rest), CHUNK))
    return _REST.format(_PLAIN.format(first), _count(len(rest)), chunks)


def _count(number: int) -> Markup:
    """As `count` of the macros: the browser puts it into its own format."""
    return _COUNT.format(number, number)
