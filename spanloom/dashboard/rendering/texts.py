"""An input, an output or any value of an attribute: what it is decides how it is shown."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.folding import fold, plain
from spanloom.dashboard.rendering.json_tree import json_tree
from spanloom.dashboard.rendering.markdown import markdown
from spanloom.dashboard.rendering.turns import Call, Media, Other, Part, Result, Text, Turn, turns_of
from spanloom.spans.text.parsing import parse_json

_FIRST_TURNS, _LAST_TURNS = 20, 180
"""Of a conversation with more turns than both, what is shown; the whole is in the span's raw JSON."""

_MOST_PARTS = 100
"""Parts of one turn."""

_KNOWN_ROLES = frozenset(("user", "assistant", "system", "tool"))

_PROSE = Markup('<div class="prose" dir="auto">{}</div>')
_TURNS = Markup('<ol class="turns">{}</ol>')
_TURN = Markup(
    '<li class="turn {}"><div class="turn-role"><bdi>{}</bdi>{}</div><div class="turn-parts">{}</div></li>'
)
_CALL = Markup('<div class="tool-part"><div class="tool-head">{} <code><bdi>{}</bdi></code>{}</div>{}</div>')
_MUTED = Markup(' <span class="muted"><bdi>{}</bdi></span>')
_REASONING = Markup('<details class="reasoning"><summary>Reasoning</summary>{}</details>')
_PICTURE = Markup(
    '<details class="media"><summary>{} <span class="muted">{:,} characters of data</span></summary>'
    '<img src="{}" alt="{}" loading="lazy" decoding="async"></details>'
)
_MEDIA = Markup('<p class="media">{}{}</p>')
_SKIPPED = Markup('<li class="turn skipped">{:,} messages are not shown here: see the raw JSON</li>')


def prose(text: str, budget: Budget) -> Markup:
    """Words as Markdown, folded where they are long; as they stand where they are very long."""
    if not budget.take_markdown(len(text)):
        return fold(plain(text), text)
    return fold(_PROSE.format(markdown(text)), text)


def value_html(text: str, budget: Budget, side: Literal["user", "assistant"]) -> Markup:
    """An input (`user`) or output (`assistant`): a conversation, a tree of JSON, or words."""
    if not text.strip():
        return Markup("")
    value = parsed(text)
    if value is None:
        return prose(text, budget)
    if isinstance(value, str):
        return prose(value, budget)
    turns = turns_of(value, side)
    return conversation(turns, budget) if turns else _any(value, budget)


def attribute_html(text: str, budget: Budget) -> Markup:
    """The value of an attribute: a tree of JSON, or the text as it stands."""
    value = parsed(text)
    if isinstance(value, dict | list) and value:
        return json_tree(value, budget)
    return fold(plain(text), text)


def parsed(text: str) -> object:
    """The JSON list, object or text in a text; None where it is anything else: a number reads best as it stands."""
    start = text.lstrip()[:1]
    if start not in ("{", "[", '"') or not start:
        return None
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list | str) else None


def conversation(turns: list[Turn], budget: Budget) -> Markup:
    """The turns of a conversation, in order."""
    shown = [_turn(turn, budget) for turn in turns[:_FIRST_TURNS]]
    rest = turns[_FIRST_TURNS:]
    if len(rest) > _LAST_TURNS:
        shown.append(_SKIPPED.format(len(rest) - _LAST_TURNS))
        rest = rest[-_LAST_TURNS:]
    # The last ones matter most, so they are first to spend the budget.
    last = [_turn(turn, budget) for turn in reversed(rest)]
    return _TURNS.format(Markup("").join((*shown, *reversed(last))))


def _turn(turn: Turn, budget: Budget) -> Markup:
    parts = [_part(part, budget) for part in turn.parts[:_MOST_PARTS]]
    if len(turn.parts) > _MOST_PARTS:
        parts.append(Markup('<p class="muted">{:,} more parts</p>').format(len(turn.parts) - _MOST_PARTS))
    if not parts:
        parts.append(Markup('<p class="muted">(empty)</p>'))
    css = turn.role if turn.role in _KNOWN_ROLES else "other"
    said = [word for word in (turn.name, turn.finish if turn.finish != "stop" else "") if word]
    notes = Markup("").join(_MUTED.format(word[:100]) for word in said)
    return _TURN.format(css, turn.role[:60], notes, Markup("").join(parts))


def _part(part: Part, budget: Budget) -> Markup:
    match part:
        case Text(text, "reasoning"):
            return _REASONING.format(prose(text, budget))
        case Text(text, _):
            return prose(text, budget)
        case Call(name, arguments, call_id):
            note = _MUTED.format(call_id[:80]) if call_id else ""
            return _CALL.format("Tool call", name[:200], note, _any(arguments, budget))
        case Result(name, content, call_id):
            note = _MUTED.format(call_id[:80]) if call_id else ""
            return _CALL.format("Tool result", name[:200], note, _any(content, budget))
        case Media(label, url, picture, characters):
            if picture:
                return _PICTURE.format(label, characters, picture, label)
            return _MEDIA.format(label, _MUTED.format(url[:2_000]) if url else _size(characters))
        case Other(value):
            return _any(value, budget)


def _size(characters: int) -> Markup:
    return _MUTED.format(f"{characters:,} characters of data") if characters else Markup("")


def _any(value: object, budget: Budget) -> Markup:
    if value is None:
        return Markup("")
    return prose(value, budget) if isinstance(value, str) else json_tree(value, budget)
