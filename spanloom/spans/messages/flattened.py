"""Messages that stand in many places, put together: flattened attributes, and events of older
instrumentations.

`llm.input_messages.0.message.role` (OpenInference) and `gen_ai.prompt.0.content` (OpenLLMetry) spread a
message over attributes; `gen_ai.user.message` and `gen_ai.choice` are events (OpenTelemetry's semantic
conventions up to 1.36). All become lists of `{"role", "content", "tool_calls"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from spanloom.spans.text.parsing import parse_json

Piece = tuple[str, str]
"""The rest of a flattened key, from the index on, and the attribute's text."""

Message = dict[str, object]

_INDEX = re.compile(r"(\d{1,6})\.(?:message\.)?(.+)", re.ASCII | re.DOTALL)
_PART = re.compile(r"contents\.(\d{1,6})\.message_content\.(.+)", re.ASCII | re.DOTALL)
_TOOL_CALL = re.compile(
    r"tool_calls\.(\d{1,6})\.(?:tool_call\.)?(?:function\.)?(id|name|arguments)", re.ASCII
)
_SHORT = 128
"""Rests of keys of up to so many characters are remembered once they are taken apart."""

_OWN = frozenset({"role", "content", "name", "tool_call_id", "finish_reason"})


def assemble(pieces: Iterable[Piece]) -> list[Message]:
    """The messages that flattened attributes spell, in the order of their index."""
    members: dict[int, dict[str, str]] = {}
    for rest, text in pieces:
        if place := (_remembered_place if len(rest) <= _SHORT else _place)(rest):
            index, name = place
            if index in members:
                members[index][name] = text
            else:
                members[index] = {name: text}
    return [message for index in sorted(members) if (message := _message(members[index]))]


def _place(rest: str) -> tuple[int, str] | None:
    """Index of the message and name of its member in the rest of a key."""
    match = _INDEX.fullmatch(rest)
    return (int(match[1]), match[2]) if match else None


_remembered_place = lru_cache(maxsize=4096)(_place)


def _message(members: Mapping[str, str]) -> Message:
    message: Message = {}
    parts: dict[int, dict[str, str]] = {}
    calls: dict[int, dict[str, str]] = {}
    for name, text in members.items():
        if name in _OWN:
            message[name] = _content(text) if name == "content" else text
        elif match := _PART.fullmatch(name):
            parts.setdefault(int(match[1]), {})[match[2]] = text
        elif match := _TOOL_CALL.fullmatch(name):
            calls.setdefault(int(match[1]), {})[match[2]] = text
    if parts and "content" not in message:
        message["content"] = [_part(parts[index]) for index in sorted(parts)]
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    return message


def _part(members: Mapping[str, str]) -> dict[str, object]:
    """`message_content.text`, `.type`, `.image.image.url`, … as a part."""
    part: dict[str, object] = {}
    for name, text in sorted(members.items()):
        if name in ("type", "text"):
            part[name] = text
        elif name.endswith(".url"):
            kind = name.partition(".")[0]
            part.setdefault("type", kind)
            part[f"{kind}_url"] = {"url": text}
        else:
            part[name.rpartition(".")[2]] = text
    return part


def _content(text: str) -> object:
    """Content is a text, or a JSON list of parts (OpenLLMetry, for multimodal messages)."""
    if text.startswith("[{"):
        try:
            value = parse_json(text)
        except ValueError:
            return text
        if isinstance(value, list) and all(isinstance(part, dict) for part in value):
            return value
    return text


_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}

Event = tuple[str, Mapping[str, str]]
"""An event's name and attributes."""


def event_messages(events: Sequence[Event]) -> tuple[object, object]:
    """The input and output messages that events carry; None where they carry none."""
    inputs: list[object] = []
    outputs: list[object] = []
    whole: dict[str, object] = {}
    for name, attributes in events:
        if name in _ROLES:
            inputs.append(_event_message(attributes, _ROLES[name]))
        elif name == "gen_ai.choice":
            outputs.append(_event_message(attributes, "assistant"))
        elif name in ("gen_ai.content.prompt", "gen_ai.content.completion"):
            for key in ("gen_ai.prompt", "gen_ai.completion"):
                if text := attributes.get(key):
                    whole[key] = _json_or_text(text)
        elif name == "gen_ai.client.inference.operation.details":
            for key in ("gen_ai.input.messages", "gen_ai.output.messages"):
                if text := attributes.get(key):
                    whole[key] = _json_or_text(text)
    return (
        whole.get("gen_ai.input.messages") or inputs or whole.get("gen_ai.prompt"),
        whole.get("gen_ai.output.messages") or outputs or whole.get("gen_ai.completion"),
    )


def _event_message(attributes: Mapping[str, str], role: str) -> Message:
    """A message from an event: its members are attributes, or stand as JSON in `message` (choices) or
    `body`."""
    for member in ("message", "body", "gen_ai.event.content"):
        text = attributes.get(member)
        if not text:
            continue
        value = _json_or_text(text)
        if isinstance(value, dict):
            inner = value.get("message", value)
            if isinstance(inner, dict):
                return {"role": role, **inner}
        return {"role": role, "content": text}
    message: Message = {"role": attributes.get("role") or role}
    if content := attributes.get("content"):
        message["content"] = _content(content)
    if calls := attributes.get("tool_calls"):
        message["tool_calls"] = _json_or_text(calls)
    return message


def _json_or_text(text: str) -> object:
    try:
        return parse_json(text)
    except ValueError:
        return text
