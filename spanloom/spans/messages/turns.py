"""The forms in which one chat message is written, each as a turn.

A form is a function: a turn of a JSON object that has this form, else None. `FORMS` has them in the order in which
they are tried; where messages stand in a request, a response or a list of them is `messages.finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from spanloom.spans.messages.contents import REASONING, TOOL_CALLS, TOOL_RESULTS, parts_of, words_of
from spanloom.spans.messages.parts import TEXT_KINDS, Members, Part, kind_of, word

Side = Literal["user", "assistant"]
"""Whose words a message without a role is: the user's in an input, the assistant's in an output."""

_ROLES = {
    "user": "user",
    "human": "user",
    "humanmessage": "user",
    "humanmessagechunk": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "system": "system",
    "systemmessage": "system",
    "developer": "system",
    "tool": "tool",
    "toolmessage": "tool",
    "function": "tool",
    "functionmessage": "tool",
}
_SPEAKERS = frozenset(("user", "human", "assistant", "ai", "system"))

_TOOL_ITEMS = ("_call", "_call_output", "tool_use", "tool_result", "tool-call", "tool-result")
"""How the types of items end that stand beside messages and hold what a tool was asked and what it returned."""

_NOTHING: Members = {}


class Turn(NamedTuple):
    """What one side said. Its parts are read when they are asked for."""

    role: str
    """`user`, `assistant`, `system`, `tool`, else as the message says."""
    message: Members
    """Members as `messages.contents` reads them."""
    certain: bool = True
    """False where something that is no message may have this form, too: a document, an object with an answer."""
    around: Members = _NOTHING
    """What the message stands in, where that says why it ended."""

    @property
    def parts(self) -> Iterable[Part]:
        """What it is made of."""
        return parts_of(self.message, self.role)

    def text(self, longest: int | None = None) -> str:
        """The text of its parts, at most `longest` characters of it; media stand for themselves as `[image:
        image/png]`."""
        return words_of(self.message, self.role, longest)

    @property
    def name(self) -> str:
        """The speaker's or tool's name, where it has one."""
        return word(self.message, "name")

    @property
    def finish(self) -> str:
        """Why it ended, where it says so."""
        return word(self.message, *FINISHES) or word(self.around, *FINISHES)


_SPOKEN = frozenset(("content", "parts", "tool_calls", "function_call", "refusal"))
"""Members of which a message with a role has one."""

FINISHES = ("finish_reason", "stop_reason", "finishReason")
"""Members that say why a message ended."""

_CHOICE = frozenset(("index", "generation_info", *FINISHES))
"""Members of which a choice beside its message or text has one."""


def role_of(name: object) -> str:
    """The role that a role's or a type's name stands for; a name that nobody knows as it is."""
    if not isinstance(name, str):
        return ""
    return _ROLES.get(name) or _ROLES.get(name.lower(), name)


def turn_of(value: Members, side: Side) -> Turn | None:
    """The turn that a JSON object is; None where it is none, but may hold some."""
    if TELLING.isdisjoint(value):
        return None
    for form in FORMS:
        if (turn := form(value, side)) is not None:
            return turn
    return None


def with_role(value: Members, _: Side) -> Turn | None:
    """`{"role", "content"}` or `{"role", "parts"}`: OpenAI, Anthropic, OpenTelemetry, Gemini, Laminar, Langfuse,
    the AI SDK, flattened keys put together again."""
    role = value.get("role", value)
    if role is value:
        return None
    if not isinstance(role, str):
        return Turn(role_of(value.get("type")), value, certain=False)
    return Turn(role_of(role), value, "content" in value or not _SPOKEN.isdisjoint(value))


def choice(value: Members, side: Side) -> Turn | None:
    """`{"index", "finish_reason", "message": {"role", "content"}}`: OpenAI's choices, Laminar."""
    message = value.get("message")
    if not isinstance(message, dict) or _CHOICE.isdisjoint(value):
        return None
    turn = with_role(message, side) or without_role(message, side)
    return Turn(turn.role, message, around=value) if turn is not None else None


def langchain_constructor(value: Members, _: Side) -> Turn | None:
    """`{"lc": 1, "type": "constructor", "id": [..., "HumanMessage"], "kwargs": {"content"}}`: LangChain's
    serialization."""
    kwargs, path = value.get("kwargs"), value.get("id")
    is_constructor = value.get("type") == "constructor"
    if not isinstance(kwargs, dict) or not (is_constructor or isinstance(path, list)):
        return None
    name = path[-1] if isinstance(path, list) and path else ""
    return Turn(
        role_of(name if isinstance(name, str) else kwargs.get("type")),
        kwargs,
        is_constructor and "content" in kwargs,
    )


def langchain_dict(value: Members, _: Side) -> Turn | None:
    """`{"type": "human", "data": {"content"}}`: LangChain's `messages_to_dict`."""
    data, kind = value.get("data"), kind_of(value)
    if not isinstance(data, dict) or "content" not in data or "content" in value:
        return None
    return Turn(role_of(data.get("role", kind)), data, kind.lower() in _ROLES)


def tool_item(value: Members, _: Side) -> Turn | None:
    """`{"type": "function_call"}` and the like, in a list of their own beside messages: OpenAI's Responses API."""
    kind = kind_of(value)
    if kind in TOOL_RESULTS or kind.endswith("_call_output"):
        return Turn("tool", {"content": value})
    if kind in TOOL_CALLS or kind.endswith(_TOOL_ITEMS):
        return Turn("assistant", {"content": value})
    return None


def reasoning_item(value: Members, _: Side) -> Turn | None:
    """`{"type": "reasoning", "summary"}`, likewise."""
    if kind_of(value) not in REASONING or not ("summary" in value or "content" in value):
        return None
    return Turn("assistant", {"content": value}, "summary" in value)


def candidate(value: Members, side: Side) -> Turn | None:
    """`{"content": {"role", "parts"}, "finishReason"}`: Gemini."""
    content = value.get("content")
    if not isinstance(content, dict) or not isinstance(content.get("parts"), list):
        return None
    return Turn(role_of(content.get("role")) or side, content, around=value)


def without_role(value: Members, side: Side) -> Turn | None:
    """`{"type": "human", "content"}` (LangChain), `{"parts"}` (Gemini), `{"content"}`."""
    if "parts" not in value and ("content" not in value or "message" in value):
        return None
    kind = kind_of(value)
    if kind.lower() in _ROLES:
        return Turn(role_of(kind), value, "content" in value)
    if kind and kind not in TEXT_KINDS:
        return Turn(kind, value, certain=False)
    return Turn(side, value, isinstance(value.get("parts"), list))


TELLING = frozenset(("role", "message", "kwargs", "data", "type", "content", "parts"))
"""Members of which every form has one: most objects that are no messages have none."""

FORMS: tuple[Callable[[Members, Side], Turn | None], ...] = (
    with_role,
    choice,
    langchain_constructor,
    langchain_dict,
    tool_item,
    reasoning_item,
    candidate,
    without_role,
)


def pair(value: list[object]) -> Turn | None:
    """`["human", "text"]`: LangChain."""
    if isinstance(role := value[0], str) and role.lower() in _SPEAKERS:
        return Turn(role_of(role), {"content": value[1]})
    return None


def completion(value: Members) -> Turn | None:
    """`{"text"}`: a choice of OpenAI's completions or a generation of LangChain, if other members say so."""
    if not isinstance(text := value.get("text"), str):
        return None
    certain = not _CHOICE.isdisjoint(value) or kind_of(value).startswith(("Generation", "ChatGeneration"))
    return Turn("assistant", {"content": text}, certain, value)
