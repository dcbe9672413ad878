"""Calls of a model whose input is a whole conversation, in each form in which SDKs record it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.load.hostile_cases import pair, request, span, string
from spanloom.schemas import otlp_pb2

FORMS = ("JSON: content", "JSON: parts", "flattened: OpenInference", "flattened: OpenLLMetry", "events")
_CHARACTERS = 1000
"""Of a message."""
_BYTES = 2 << 20


def history(form: str, size: int, count: int = 0) -> list[bytes]:
    """Messages of one call each, `count` or as many as come to 2 MB, whose input are `size` messages of 1,000
    characters."""
    words = [f"message {number} ".ljust(_CHARACTERS, "x") for number in range(size)]
    roles = ["user" if number % 2 == 0 else "assistant" for number in range(size)]
    count = count or max(1, _BYTES // (size * _CHARACTERS))
    return [request(_call(form, roles, words, number)) for number in range(1, count + 1)]


def _call(form: str, roles: list[str], words: list[str], number: int) -> otlp_pb2.Span:
    turns = list(zip(roles, words, strict=True))
    if form == "JSON: content":
        text = json.dumps([{"role": role, "content": content} for role, content in turns])
        return span(pair("gen_ai.input.messages", string(text)), number=number)
    if form == "JSON: parts":
        parts = [{"role": role, "parts": [{"type": "text", "content": content}]} for role, content in turns]
        return span(pair("gen_ai.input.messages", string(json.dumps(parts))), number=number)
    if form == "events":
        made = span(number=number)
        made.events.extend(
            otlp_pb2.Event(
                name=f"gen_ai.{role}.message".encode(), attributes=[pair("content", string(content))]
            )
            for role, content in turns
        )
        return made
    return span(*_flattened(form, turns), number=number)


def _flattened(form: str, turns: list[tuple[str, str]]) -> Iterator[bytes]:
    start, message = (
        ("llm.input_messages", "message.") if form.endswith("OpenInference") else ("gen_ai.prompt", "")
    )
    for index, (role, content) in enumerate(turns):
        yield pair(f"{start}.{index}.{message}role", string(role))
        yield pair(f"{start}.{index}.{message}content", string(content))
