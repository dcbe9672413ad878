"""The text around hits, with the hits marked."""

from __future__ import annotations

from markupsafe import Markup, escape

from spanloom.warehouse.queries.answers import Snippet


def marked(snippet: Snippet) -> Markup:
    """Return a snippet with its hits in `<mark>`."""
    parts = [Markup("…") if snippet.cut_before else Markup("")]
    at = 0
    for start, end in snippet.ranges:
        parts += [escape(snippet.text[at:start]), Markup("<mark>{}</mark>").format(snippet.text[start:end])]
        at = end
    parts += [escape(snippet.text[at:]), Markup("…") if snippet.cut_after else Markup("")]
    return Markup("").join(parts)
