"""Messages that are events, put together as lists of `{"role", "content", "tool_calls"}`: `gen_ai.user.message`,
`gen_ai.choice` and the like (OpenTelemetry's semantic conventions up to 1.36), and events that hold whole lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spanloom.spans.messages.flattened import ChatMessage, content_of
from spanloom.spans.messages.texts import message_value

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
                    whole[key] = message_value(text)
        elif name == "gen_ai.client.inference.operation.details":
            for key in ("gen_ai.input.messages", "gen_ai.output.messages"):
                if text := attributes.get(key):
                    whole[key] = message_value(text)
    return (
        whole.get("gen_ai.input.messages") or inputs or whole.get("gen_ai.prompt"),
        whole.get("gen_ai.output.messages") or outputs or whole.get("gen_ai.completion"),
    )


def _event_message(attributes: Mapping[str, str], role: str) -> ChatMessage:
    """A message from an event: its members are attributes, or stand as JSON in `message` (choices) or
    `body`."""
    for member in ("message", "body", "gen_ai.event.content"):
        text = attributes.get(member)
        if not text:
            continue
        value = message_value(text)
        if isinstance(value, dict):
            inner = value.get("message", value)
            if isinstance(inner, dict):
                return {"role": role, **inner}
        return {"role": role, "content": value if isinstance(value, list) else text}
    message: ChatMessage = {"role": attributes.get("role") or role}
    if content := attributes.get("content"):
        message["content"] = content_of(content)
    if calls := attributes.get("tool_calls"):
        message["tool_calls"] = message_value(calls)
    return message
