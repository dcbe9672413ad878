"""The parts of a chat message: its content, and what stands beside the content.

Types of parts are those of OpenAI's Chat and Responses APIs, Anthropic, Gemini (whose parts have no type, but one
member that stands for it), the AI SDK and the JSON schemas of
https://opentelemetry.io/docs/specs/semconv/gen-ai/. Each type has a line in `_READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from spanloom.spans.messages.media import media_label
from spanloom.spans.messages.parts import (
    TEXT_KINDS,
    Call,
    Media,
    Members,
    Other,
    Part,
    Reasoning,
    Result,
    kind_of,
    plain_text,
    word,
)

DEEPEST = 8
"""How deep messages and parts are looked for inside of each other; real forms need four levels."""

TOOL_CALLS = frozenset(
    (
        "tool_call",
        "tool-call",
        "tool_use",
        "function_call",
        "toolCall",
        "server_tool_use",
        "functionCall",
        "custom_tool_call",
    )
)
TOOL_RESULTS = frozenset(
    (
        "tool_call_response",
        "tool-result",
        "tool_result",
        "function_call_output",
        "tool_response",
        "functionResponse",
        "custom_tool_call_output",
    )
)
REASONING = frozenset(("reasoning", "thinking", "reasoning_text", "summary_text", "redacted_thinking"))

_TYPE_MEMBERS = ("functionCall", "functionResponse")
"""Members of a part without a type that hold the part and name its type (Gemini)."""

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_BESIDE = frozenset((*_THOUGHTS, "refusal", "tool_calls", "function_call", "audio"))
"""Members beside the content that hold parts, too."""

_WRAPPED = frozenset(("content", "value", "type", "isError", "is_error"))
"""Members of what a tool returned that has a list of parts inside."""

_CARRIERS = frozenset(
    ("source", "data", "image_url", "file_data", "base64", "inlineData", "inline_data", "fileData")
)
"""Members of which media that a tool returned have one; a directory's entry (`{"type": "file", "name"}`) has none."""

_NOTHING: Sequence[Part] = ()


def parts_of(message: Members, role: str) -> Iterable[Part]:
    """The parts of a message with `content` or `parts`, and what may stand beside them; in the order in which they
    are read best, and no sooner than they are."""
    content = message.get("content")
    if not content and (content is None or content == "" or "parts" in message):
        content = message.get("parts")
    if role == "assistant" and isinstance(content, list) and len(content) > 1:
        content = _joined(content)
    is_result = role == "tool" and not _holds_results(content)
    parts = (Result(message),) if is_result else _content(content, 0)
    if _BESIDE.isdisjoint(message):
        return parts
    parts = tuple(parts)
    return (*_thoughts(message), *parts, *_refused(message), *_called(message, parts), *_spoken(message))


def returned_parts(content: object) -> Sequence[Part]:
    """The parts of what a tool returned, where it returned media and is nothing but words and media (Anthropic, MCP,
    OpenAI's screenshots, the AI SDK); else none, since any JSON may be a tool's."""
    if isinstance(content, dict) and _WRAPPED.issuperset(content):
        content = content.get("content") or content.get("value")
    parts: list[Part] = []
    for item in content if isinstance(content, list) else (content,):
        if not isinstance(item, dict):
            return _NOTHING
        if kind_of(item) in TEXT_KINDS and isinstance(text := item.get("text"), str):
            parts.append(text)
        elif not _CARRIERS.isdisjoint(item) and (label := media_label(item)):
            parts.append(Media(label, item))
        else:
            return _NOTHING
    return parts if any(isinstance(part, Media) for part in parts) else _NOTHING


def words_of(message: Members, role: str, longest: int | None = None) -> str:
    """The text of a message, as `plain_text` has it of its parts; sooner of one that is a text, as most are."""
    content = message.get("content")
    if isinstance(content, str) and content and role != "tool" and _BESIDE.isdisjoint(message):
        return content[:longest]
    return plain_text(parts_of(message, role), longest)


def _joined(content: Sequence[object]) -> list[object]:
    """An answer's parts, bare texts that follow each other as one: of a stream Gemini and Genkit record the pieces."""
    joined: list[object] = []
    pieces: list[str] = []
    for part in content:
        if isinstance(part, dict) and part.keys() == {"text"} and isinstance(part["text"], str):
            if not pieces:
                joined.append(part)
            pieces.append(part["text"])
            joined[-1] = {"text": "".join(pieces)} if len(pieces) > 1 else part
        else:
            pieces = []
            joined.append(part)
    return joined


def _holds_results(content: object) -> bool:
    parts = content if isinstance(content, list) else (content,)
    return any(
        isinstance(part, dict) and (kind_of(part) in TOOL_RESULTS or "functionResponse" in part)
        for part in parts
    )


def _thoughts(message: Members) -> Sequence[Part]:
    thought = word(message, *_THOUGHTS)
    return (Reasoning({"text": thought}),) if thought else _NOTHING


def _refused(message: Members) -> Sequence[Part]:
    refusal = word(message, "refusal")
    return (refusal,) if refusal else _NOTHING


def _called(message: Members, parts: Sequence[Part]) -> Sequence[Part]:
    """OpenAI's `tool_calls` and `function_call`, less those that stand in the content, too (LangChain)."""
    given = message.get("tool_calls")
    known = {part.call_id for part in parts if isinstance(part, Call)} - {""}
    calls: list[Part] = [
        Call(value) if isinstance(value, dict) else Other(value)
        for value in (given if isinstance(given, list) else ())
    ]
    if isinstance(value := message.get("function_call"), dict):
        calls.append(Call(value))
    return [call for call in calls if not (isinstance(call, Call) and call.call_id in known)]


def _spoken(message: Members) -> Sequence[Part]:
    """An answer of OpenAI in sound, which comes with its words."""
    audio = message.get("audio")
    return (Media("[audio]", audio),) if isinstance(audio, dict) else _NOTHING


def _content(content: object, depth: int) -> Iterable[Part]:
    """The parts of a text, of a part, or of a list of them."""
    if isinstance(content, str):
        return (content,) if content else _NOTHING
    if content is None:
        return _NOTHING
    if depth <= DEEPEST:
        if isinstance(content, list):
            return _parts(content, depth + 1)
        if isinstance(content, dict):
            return _part(content, depth)
    return (Other(content),)


def _parts(content: list[object], depth: int) -> Iterator[Part]:
    for item in content:
        # As most lists are: a call less on the way of every span.
        if isinstance(item, dict) and depth <= DEEPEST:
            yield from _part(item, depth)
        else:
            yield from _content(item, depth)


def _part(part: Members, depth: int) -> Iterable[Part]:
    kind = part.get("type")
    if not isinstance(kind, str):
        kind = ""
        for member in _TYPE_MEMBERS:
            if member in part:
                kind, inner = member, part[member]
                part = inner if isinstance(inner, dict) else part
                break
    read = _READERS.get(kind)
    return _media(part) if read is None else read(part, depth)


def _words(part: Members, depth: int) -> Iterable[Part]:
    for member in ("text", "content", "parts", "value"):
        inside = part.get(member)
        if isinstance(inside, str):
            if inside and part.get("thought") is True:
                return (Reasoning(part),)
            return (inside,) if inside else _NOTHING
        if isinstance(inside, dict | list):
            return _content(inside, depth + 1)
    return _media(part)


def _refusal(part: Members, depth: int) -> Iterable[Part]:
    return _content(part.get("refusal"), depth + 1)


def _reasoning(part: Members, _: int) -> Sequence[Part]:
    return (Reasoning(part),)


def _call(part: Members, _: int) -> Sequence[Part]:
    return (Call(part),)


def _result(part: Members, _: int) -> Sequence[Part]:
    return (Result(part),)


def _media(part: Members) -> Sequence[Part]:
    """Media, or else a part that nobody knows."""
    label = media_label(part)
    return (Media(label, part) if label else Other(part),)


_READERS: Mapping[str, Callable[[Members, int], Iterable[Part]]] = {
    "": _words,
    **dict.fromkeys(TEXT_KINDS, _words),
    "refusal": _refusal,
    **dict.fromkeys(REASONING, _reasoning),
    **dict.fromkeys(TOOL_CALLS, _call),
    **dict.fromkeys(TOOL_RESULTS, _result),
}
"""Who reads a part, by its type; an empty one is none. All others are media, or known to nobody."""
