"""Where messages stand in a value: in a list, in lists of lists, in a request or a response.

A *message value* is what an attribute holds once its JSON is parsed, or messages that were put together from
flattened attributes and events. Forms of whole requests and responses are in `_WRAPPERS`, forms of one message in
`messages.turns`.
"""

from __future__ import annotations

from collections.abc import Iterator

from spanloom.spans.messages.contents import DEEPEST
from spanloom.spans.messages.parts import Members
from spanloom.spans.messages.turns import TELLING, Side, Turn, completion, pair, turn_of

_WRAPPERS = {
    "user": ("messages", "contents", "prompt", "input", "inputs", "message"),
    "assistant": ("choices", "candidates", "generations", "output", "outputs", "messages", "message"),
}
"""Members of a request or response that hold messages, in the order in which they are tried."""

_MESSAGE_HOLDERS = (list, dict)
_HOLDERS = (list, dict, str)
"""What such a member may hold: messages, and where it does not stand deep, the words of one."""

_SYSTEM_PROMPTS = ("system", "instructions", "systemInstruction", "system_instruction")
"""Members beside the messages that hold a system prompt: Anthropic, OpenAI's Responses API, Gemini, the AI SDK."""


_WITHOUT = {side: frozenset((*TELLING, *wrappers, "text")) for side, wrappers in _WRAPPERS.items()}


def holds_nothing(value: object, side: Side) -> bool:
    """Whether a value has no turn of any form, as its members tell at once: most arguments and results of functions."""
    return isinstance(value, dict) and _WITHOUT[side].isdisjoint(value)


def conversation(value: object, side: Side) -> list[Turn] | None:
    """The turns of a value that is a conversation and nothing else, in order; None where there may be more to it."""
    turns: list[Turn] = []
    for turn in _turns(value, side, 0, newest_first=False):
        if turn is None or not turn.certain:
            return None
        turns.append(turn)
    return turns or None


def newest_first(value: object, side: Side) -> Iterator[Turn | None]:
    """The turns in a value, the last one first, but of several choices the first; None for whatever is none. Who
    looks for the last words reads no more than these."""
    return _turns(value, side, 0, newest_first=True)


def _turns(value: object, side: Side, depth: int, *, newest_first: bool) -> Iterator[Turn | None]:
    if depth > DEEPEST:
        yield None
    elif isinstance(value, dict):
        if (turn := turn_of(value, side)) is not None:
            yield turn
        else:
            yield from _wrapped(value, side, depth, newest_first=newest_first)
    elif not isinstance(value, list):
        yield None
    elif len(value) == 2 and (turn := pair(value)) is not None:
        yield turn
    else:
        for item in reversed(value) if newest_first else value:
            # Most values are lists of messages: these are read here and not by a generator each.
            if isinstance(item, list):
                yield from _turns(item, side, depth + 1, newest_first=newest_first)
            elif not isinstance(item, dict):
                yield None
            elif (turn := turn_of(item, side)) is not None:
                yield turn
            else:
                yield from _wrapped(item, side, depth + 1, newest_first=newest_first)


def _wrapped(value: Members, side: Side, depth: int, *, newest_first: bool) -> Iterator[Turn | None]:
    """The turns in a request or a response; None where it is neither."""
    for wrapper in _WRAPPERS[side]:
        inside = value.get(wrapper)
        if not inside or not isinstance(inside, _HOLDERS if depth < 2 else _MESSAGE_HOLDERS):
            continue
        if not newest_first:
            yield from _system_prompt(value)
        if isinstance(inside, str):
            # Only a prompt is one wherever it stands; an `input` may be one of several that a program takes.
            yield Turn(side, {"content": inside}, wrapper == "prompt")
        elif wrapper == "choices" and isinstance(inside, list):
            # The first choice is the answer, so its messages go before those of the others.
            for choice in inside:
                yield from _turns(choice, side, depth + 1, newest_first=newest_first)
        elif wrapper == "message":
            for turn in _turns(inside, side, depth + 1, newest_first=newest_first):
                yield turn and turn._replace(around=turn.around or value)
        else:
            yield from _turns(inside, side, depth + 1, newest_first=newest_first)
        if newest_first:
            yield from _system_prompt(value)
        return
    yield completion(value) if side == "assistant" else None


def _system_prompt(request: Members) -> Iterator[Turn]:
    """The system prompt that stands beside the messages."""
    for member in _SYSTEM_PROMPTS:
        prompt = request.get(member)
        if isinstance(prompt, dict):
            prompt = prompt.get("parts") or prompt.get("content")
        if prompt and isinstance(prompt, str | list):
            yield Turn("system", {"content": prompt})
            return
