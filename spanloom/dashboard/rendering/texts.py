"""An input, an output or any value of an attribute: what it is decides how it is shown."""

from __future__ import annotations

from markupsafe import Markup

from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.folding import fold, plain
from spanloom.dashboard.rendering.json_tree import json_tree
from spanloom.dashboard.rendering.markdown import markdown
from spanloom.dashboard.rendering.media.found import found_in
from spanloom.dashboard.rendering.media.html import media_html
from spanloom.spans.messages.contents import returned_parts
from spanloom.spans.messages.finding import conversation
from spanloom.spans.messages.parts import Call, Media, Other, Part, Reasoning, Result
from spanloom.spans.messages.turns import Side, Turn
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
_SKIPPED = Markup('<li class="turn skipped">{:,} messages are not shown here: see the raw JSON</li>')


def prose(text: str, budget: Budget) -> Markup:
    """Words as Markdown, folded where they are long; as they stand where they are very long."""
    if not budget.take_markdown(len(text)):
        return fold(plain(text), text)
    return fold(_PROSE.format(markdown(text)), text)


def value_html(text: str, budget: Budget, side: Side) -> Markup:
    """An input (`user`) or output (`assistant`): a conversation, a tree of JSON, or words."""
    if not text.strip():
        return Markup("")
    value = parsed(text)
    if value is None:
        return prose(text, budget)
    if isinstance(value, str):
        return prose(value, budget)
    turns = conversation(value, side)
    return turns_html(turns, budget) if turns else _any(value, budget)


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


def turns_html(turns: list[Turn], budget: Budget) -> Markup:
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
    given = list(turn.parts)
    parts = [_part(part, budget) for part in given[:_MOST_PARTS]]
    if len(given) > _MOST_PARTS:
        parts.append(Markup('<p class="muted">{:,} more parts</p>').format(len(given) - _MOST_PARTS))
    if not parts:
        parts.append(Markup('<p class="muted">(empty)</p>'))
    css = turn.role if turn.role in _KNOWN_ROLES else "other"
    words = [word for word in (turn.name, turn.finish if turn.finish != "stop" else "") if word]
    notes = Markup("").join(_MUTED.format(word[:100]) for word in words)
    return _TURN.format(css, turn.role[:60], notes, Markup("").join(parts))


def _part(part: Part, budget: Budget) -> Markup:
    match part:
        case str():
            return prose(part, budget)
        case Reasoning():
            return _REASONING.format(prose(part.text, budget))
        case Call():
            return _tool("Tool call", part, part.arguments, budget)
        case Result():
            return _tool("Tool result", part, part.content, budget)
        case Media():
            return _media(part, budget)
        case Other(sent):
            return _any(sent, budget)


def _tool(title: str, part: Call | Result, value: object, budget: Budget) -> Markup:
    note = _MUTED.format(part.call_id[:80]) if part.call_id else ""
    returned = returned_parts(value)[:_MOST_PARTS] if isinstance(part, Result) else ()
    shown = Markup("").join(_part(one, budget) for one in returned) if returned else _any(value, budget)
    return _CALL.format(title, part.name[:200], note, shown)


def _media(media: Media, budget: Budget) -> Markup:
    found = found_in(media.sent)
    shown = media_html(media.label, found, budget)
    if found.words:
        shown += fold(plain(found.words), found.words)
    elif found.is_nothing and not media.words:
        shown += json_tree(media.sent, budget)
    return shown + prose(media.words, budget) if media.words else shown


def _any(value: object, budget: Budget) -> Markup:
    if value is None:
        return Markup("")
    return prose(value, budget) if isinstance(value, str) else json_tree(value, budget)
