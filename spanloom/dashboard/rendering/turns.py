"""The messages of an input or output as the turns of a conversation: tool calls, media and all.

`spanloom.spans.messages.texts` reads the same forms for the text of a trace; this keeps what that leaves out. Values
in, values out: nothing here knows HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from spanloom.spans.messages.media import media_label
from spanloom.spans.text.parsing import parse_json

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
_TEXTS = frozenset(("text", "input_text", "output_text", "message", "refusal"))
_REASONING = frozenset(("reasoning", "thinking", "reasoning_text", "summary_text", "redacted_thinking"))
_CALLS = frozenset(
    ("tool_call", "tool-call", "tool_use", "function_call", "toolCall", "server_tool_use", "functionCall")
)
_RESULTS = frozenset(
    (
        "tool_call_response",
        "tool-result",
        "tool_result",
        "function_call_output",
        "tool_response",
        "functionResponse",
    )
)
_WRAPPERS = (
    "messages",
    "contents",
    "choices",
    "candidates",
    "generations",
    "output",
    "outputs",
    "input",
    "inputs",
    "prompt",
    "message",
)
_DEEPEST = 8
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})")
_PICTURES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str
    kind: Literal["text", "reasoning"] = "text"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool was asked for; `arguments` is a JSON value or a text."""

    name: str
    arguments: object
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A tool answered; `content` is a JSON value or a text."""

    name: str
    content: object
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound or file: `label` is such as `[image: image/png]`."""

    label: str
    url: str = ""
    """Where it is, as the message says; nothing is known about it."""
    picture: str = ""
    """A `data:` URL of a picture that came with the message; checked, so that it can be nothing else."""
    characters: int = 0
    """The length of the data that came with the message."""


@dataclass(frozen=True, slots=True)
class Other:
    """A part of a form that nobody knows."""

    value: object


Part = Text | Call | Result | Media | Other


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said."""

    role: str
    """`user`, `assistant`, `system`, `tool`, else as the message says."""
    parts: tuple[Part, ...]
    name: str = ""
    finish: str = ""
    """Why it ended, where it says so."""


def turns_of(value: object, side: Literal["user", "assistant"]) -> list[Turn] | None:
    """Return the turns in a JSON value; None where it is no conversation.

    Args:
        side: whose words a message without a role is.
    """
    messages = _messages(value, side, 0)
    if not messages:
        return None
    return [_turn(message, side) for message in messages]


def _messages(value: object, side: str, depth: int) -> list[Mapping[str, object]] | None:
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        found: list[Mapping[str, object]] = []
        for item in value:
            inside = _messages(item, side, depth + 1) if isinstance(item, dict | list) else None
            if inside is None:
                return None
            found.extend(inside)
        return found
    if not isinstance(value, dict):
        return None
    if _is_message(value):
        return [value]
    for wrapper in _WRAPPERS:
        inside = value.get(wrapper)
        if isinstance(inside, str) and wrapper == "prompt":
            return [*_system(value), {"role": "user", "content": inside}]
        if isinstance(inside, list | dict) and inside:
            found_inside = _messages(inside, side, depth + 1)
            if found_inside is None:
                return None
            if wrapper in ("message", "choices") and "finish_reason" in value:
                found_inside = [{"finish_reason": value["finish_reason"], **item} for item in found_inside]
            return [*_system(value), *found_inside]
    return None


def _system(request: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The system prompt that stands beside the messages: Anthropic, Gemini, the AI SDK."""
    for member in ("system", "instructions", "systemInstruction", "system_instruction"):
        prompt = request.get(member)
        if isinstance(prompt, dict):
            prompt = prompt.get("parts") or prompt.get("content")
        if prompt and isinstance(prompt, str | list):
            yield {"role": "system", "content": prompt}
            return


def _is_message(value: Mapping[str, object]) -> bool:
    if isinstance(value.get("role"), str):
        return any(
            member in value for member in ("content", "parts", "tool_calls", "function_call", "refusal")
        )
    kind = value.get("type")
    if isinstance(kind, str):
        if kind.lower() in _ROLES:
            return "content" in value
        if kind == "constructor":
            return isinstance(value.get("kwargs"), dict)
        return kind in ("function_call", "function_call_output") or (
            kind == "reasoning" and "summary" in value
        )
    return isinstance(value.get("parts"), list)


def _turn(message: Mapping[str, object], side: str) -> Turn:
    kwargs = message.get("kwargs")
    if message.get("type") == "constructor" and isinstance(kwargs, dict):
        path = message.get("id")
        message = {**kwargs, "role": path[-1] if isinstance(path, list) and path else ""}
    role = message.get("role")
    kind = message.get("type")
    if not isinstance(role, str):
        role = kind if isinstance(kind, str) and kind.lower() in _ROLES else side
        if kind in _CALLS or kind in _RESULTS or kind in _REASONING:
            role = "tool" if kind in _RESULTS else "assistant"
            return Turn(role, tuple(_part(message)))
    role = _ROLES.get(role.lower(), role)
    parts: list[Part] = []
    for member in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(thought := message.get(member), str) and thought:
            parts.append(Text(thought, "reasoning"))
            break
    content = message.get("content")
    if content is None or content == "":
        content = message.get("parts")
    name = _word(message, "name")
    if role == "tool" and not _holds_results(content):
        parts.append(Result(name, _json_or_text(content), _word(message, "tool_call_id", "toolCallId")))
    else:
        parts.extend(_content(content, 0))
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        parts.append(Text(refusal))
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        known = {part.call_id for part in parts if isinstance(part, Call)}
        parts.extend(call for call in map(_call, calls) if not (call.call_id and call.call_id in known))
    if isinstance(call := message.get("function_call"), dict):
        parts.append(_call(call))
    if isinstance(audio := message.get("audio"), dict):
        parts.append(Media("[audio]", characters=len(str(audio.get("data") or ""))))
        if isinstance(transcript := audio.get("transcript"), str):
            parts.append(Text(transcript))
    return Turn(role, tuple(parts), name, _word(message, "finish_reason", "stop_reason", "finishReason"))


def _holds_results(content: object) -> bool:
    return isinstance(content, list) and any(
        isinstance(part, dict) and (part.get("type") in _RESULTS or "functionResponse" in part)
        for part in content
    )


def _content(content: object, depth: int) -> Iterator[Part]:
    if content is None or content == "" or depth > _DEEPEST:
        return
    if isinstance(content, str):
        yield Text(content)
    elif isinstance(content, list):
        for part in content:
            yield from _content(part, depth + 1)
    elif isinstance(content, dict):
        yield from _part(content)
    else:
        yield Other(content)


def _part(part: Mapping[str, object]) -> Iterator[Part]:
    kind = part.get("type")
    if not isinstance(kind, str):
        kind = next((member for member in ("functionCall", "functionResponse") if member in part), None)
        if kind is not None and isinstance(inner := part[kind], dict):
            part = inner
    if kind in _CALLS:
        yield _call(part)
    elif kind in _RESULTS:
        content = next(
            (part[key] for key in ("result", "response", "output", "content") if key in part), None
        )
        yield Result(
            _word(part, "name", "toolName", "tool_name"),
            _json_or_text(content),
            _word(part, "id", "call_id", "tool_call_id", "toolCallId", "tool_use_id"),
        )
    elif kind in _REASONING:
        yield Text(
            _said(part, "text", "content", "thinking", "reasoning", "summary") or "(hidden)", "reasoning"
        )
    elif label := media_label(part):
        yield _media(part, label)
    elif (kind is None or kind in _TEXTS) and (text := _said(part, "text", "content", "refusal", "message")):
        yield Text(text, "reasoning" if part.get("thought") is True else "text")
    else:
        yield Other(part)


def _call(value: object) -> Call:
    if not isinstance(value, dict):
        return Call("", value)
    inner = value.get("function")
    if not isinstance(inner, dict):
        inner = value
    arguments = next(
        (inner[key] for key in ("arguments", "args", "input", "parameters") if inner.get(key) is not None),
        None,
    )
    return Call(
        _word(inner, "name", "toolName", "tool_name"),
        _json_or_text(arguments),
        _word(value, "id", "call_id", "tool_call_id", "toolCallId"),
    )


def _media(part: Mapping[str, object], label: str) -> Media:
    url, picture, characters = "", "", 0
    levels = [part, *(value for value in part.values() if isinstance(value, dict))]
    for level in levels:
        kind = next(
            (level[key] for key in ("mime_type", "media_type", "mimeType", "mediaType") if key in level), ""
        )
        for key, value in level.items():
            if not isinstance(value, str):
                continue
            if value.startswith(("http://", "https://")):
                url = url or value
            elif found := _PICTURE.fullmatch(value):
                picture, characters = value, len(found[2])
            elif value.startswith("data:"):
                characters = max(characters, len(value))
            elif key in ("data", "content", "image", "file_data", "base64") and _BASE64.fullmatch(value):
                characters = max(characters, len(value))
                if kind in _PICTURES:
                    picture = f"data:{kind};base64,{value}"
    return Media(label, url, picture, characters)


def _said(part: Mapping[str, object], *members: str) -> str:
    """The first of these members that is a text, or a list of parts with texts."""
    for member in members:
        value = part.get(member)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list):
            inside = (item.get("text") if isinstance(item, dict) else item for item in value)
            texts = [text for text in inside if isinstance(text, str) and text]
            if texts:
                return "\n".join(texts)
    return ""


def _word(value: Mapping[str, object], *members: str) -> str:
    return next((word for member in members if isinstance(word := value.get(member), str) and word), "")


def _json_or_text(value: object) -> object:
    """A text that holds a JSON list or object as that; everything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return parse_json(value)
        except ValueError:
            return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        texts = [part.get("text") for part in value if isinstance(part, dict) and part.get("type") in _TEXTS]
        if texts and len(texts) == len(value) and all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts)
    return value
