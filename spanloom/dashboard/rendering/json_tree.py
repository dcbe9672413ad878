"""JSON as a tree that folds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice

from markupsafe import Markup

from spanloom.dashboard.rendering.budget import Budget

DEEPEST = 24
"""Levels that get elements; what lies deeper is shown as JSON text."""

OPEN_LEVELS = 3
"""Levels that are open at first, where they are not long."""

LONG_LEVEL = 40
"""A level with more members than this is closed at first, but for the first one."""

LONG_TEXT = 400
"""Characters of a text that are shown before it folds."""

SHOWN_DEEP = 2_000
"""Characters of JSON text that stand for what lies too deep or goes beyond the budget."""

_LEAF = Markup('<span class="j-{}">{}</span>')
_FOLDED_TEXT = Markup(
    '<details class="j-long"><summary><span class="j-string">"{}…</span> <span class="muted">{:,} characters</span>'
    '</summary><span class="j-string">{}</span></details>'
)
_BRANCH = Markup('<details{}><summary>{}<span class="muted">{}</span></summary><ul>{}</ul></details>')
_KEY = Markup('<span class="j-key"><bdi>{}</bdi>:</span> ')
_ROOT = Markup('<div class="json" dir="ltr">{}</div>')


def json_tree(value: object, budget: Budget) -> Markup:
    """Return the tree of a value as `json.loads` gives it: numbers, texts, lists, dictionaries."""
    return _ROOT.format(_node(value, Markup(""), 0, budget))


def json_text(value: object) -> str:
    """JSON in one line; never raises, whatever depth a parser let through."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "…"


def _node(value: object, label: Markup, depth: int, budget: Budget) -> Markup:
    most = max(1, budget.nodes + 1)
    if isinstance(value, Mapping):
        members = [(_KEY.format(_cut(str(key))), item) for key, item in islice(value.items(), most)]
        size = f"{{{len(value):,}}}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        members = [(_KEY.format(number), item) for number, item in enumerate(islice(value, most))]
        size = f"[{len(value):,}]"
    else:
        return label + _leaf(value)
    if not members:
        return label + _LEAF.format("empty", "{}" if isinstance(value, Mapping) else "[]")
    if depth >= DEEPEST:
        return label + _LEAF.format("string", _cut(json_text(value), SHOWN_DEEP))
    items: list[Markup] = []
    for key, item in members:
        if not budget.take_node():
            left = len(value) - len(items)
            items.append(Markup('<li class="muted">… {:,} more</li>').format(left))
            break
        items.append(Markup("<li>{}</li>").format(_node(item, key, depth + 1, budget)))
    is_open = depth < OPEN_LEVELS and (depth == 0 or len(value) <= LONG_LEVEL)
    return _BRANCH.format(Markup(" open") if is_open else "", label, size, Markup("").join(items))


def _leaf(value: object) -> Markup:
    if isinstance(value, str):
        if len(value) > LONG_TEXT:
            return _FOLDED_TEXT.format(value[:80], len(value), value)
        return _LEAF.format("string", f'"{value}"')
    if value is None or isinstance(value, bool):
        return _LEAF.format("word", {None: "null", True: "true", False: "false"}[value])
    try:
        return _LEAF.format("number", _cut(str(value)))
    except ValueError:  # An int with more digits than Python turns into a text.
        return _LEAF.format("number", "a number of thousands of digits")


def _cut(text: str, characters: int = 200) -> str:
    return text if len(text) <= characters else f"{text[:characters]}…"
