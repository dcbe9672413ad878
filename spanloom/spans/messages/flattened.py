"""Messages that are spread over attributes, put together as lists of `{"role", "content", "tool_calls"}`:
`llm.input_messages.0.message.role` (OpenInference) and `gen_ai.prompt.0.content` (OpenLLMetry)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from spanloom.spans.text.parsing import parse_json

FlattenedAttribute = tuple[str, str]
"""The rest of a flattened key, from the index on, and the attribute's text."""

ChatMessage = dict[str, object]
"""`{"role", "content", "tool_calls"}`, as JSON has it."""

_INDEX = re.compile(r"(\d{1,6})\.(?:message\.)?(.+)", re.ASCII | re.DOTALL)
_PART = re.compile(r"contents\.(\d{1,6})\.message_content\.(.+)", re.ASCII | re.DOTALL)
_LISTED = re.compile(r"content\.(\d{1,6})(?:\.(.+))?", re.ASCII | re.DOTALL)
"""A list of texts, or of parts, in the place of the content (OpenInference of Claude's Agent SDK)."""
_TOOL_CALL = re.compile(
    r"tool_calls\.(\d{1,6})\.(?:tool_call\.)?(?:function\.)?(id|name|arguments)", re.ASCII
)
_SHORT = 128
"""Rests of keys of up to this many characters are remembered once they are taken apart."""

_OWN = frozenset({"role", "content", "name", "tool_call_id", "finish_reason"})


def assemble(flattened: Iterable[FlattenedAttribute]) -> list[ChatMessage]:
    """The messages that flattened attributes spell, in the order of their index."""
    members: dict[int, dict[str, str]] = {}
    for rest, text in flattened:
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


def _message(members: Mapping[str, str]) -> ChatMessage:
    message: ChatMessage = {}
    parts: dict[int, dict[str, str]] = {}
    calls: dict[int, dict[str, str]] = {}
    for name, text in members.items():
        if name in _OWN:
            message[name] = content_of(text) if name == "content" else text
        elif match := _PART.fullmatch(name):
            parts.setdefault(int(match[1]), {})[match[2]] = text
        elif match := _LISTED.fullmatch(name):
            parts.setdefault(int(match[1]), {})[match[2] or "text"] = text
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


def content_of(text: str) -> object:
    """Content is a text, or a JSON list of parts (OpenLLMetry, for multimodal messages)."""
    if text.startswith("[{"):
        try:
            value = parse_json(text)
        except ValueError:
            return text
        if isinstance(value, list) and all(isinstance(part, dict) for part in value):
            return value
    return text
