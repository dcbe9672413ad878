"""What several APIs share: texts of messages, the tool that is called, server-sent events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from tests.recordings.llm_server.calls import Asked, Json, Tool

_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)
"""What Claude Code puts beside the person's words: nobody's words, and the machine's system and folders in them."""


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or a list of parts."""
    parts: list[object] = content if isinstance(content, list) else [{"text": content}]
    text = "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))
    return _REMINDER.sub("", text)


def last_user_message(messages: list[object], content: str = "content") -> tuple[str, bool]:
    """Return the last user message that has a text, and whether nothing follows it.

    A user's message without a text is the result of a tool, as Anthropic and Gemini send it.
    """
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if (
            isinstance(message, dict)
            and message.get("role") == "user"
            and (text := text_of(message.get(content)))
        ):
            return text, index == len(messages) - 1
    return "", False


def tool_wanted(asked: Asked) -> tuple[str, Json] | None:
    """Return the name of the tool to call and its arguments, if the request or its last message asks for one."""
    for tool in asked.tools:
        if tool.name == asked.must_call or (asked.user_is_last and _is_named(tool, asked.user)):
            return tool.name, arguments_of(tool.schema)
    return None


def _is_named(tool: Tool, user: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+", tool.name)
    return any(len(word) > 3 and word.lower() in user.lower() for word in words)


def arguments_of(schema: Json) -> Json:
    """Return an object of a JSON schema: each number is 3, each text Berlin."""
    properties = schema.get("properties") or {}
    # Without a list of what is required, everything is given.
    given = schema.get("required") or list(properties)
    # Gemini writes types in capitals.
    numbers = ("number", "integer")
    return {name: 3 if str(properties[name].get("type")).lower() in numbers else "Berlin" for name in given}


def openai_tools(body: Json) -> tuple[Tool, ...]:
    """Return the tools of a request to OpenAI: functions, which the Responses API writes flat."""
    functions = [tool.get("function", tool) for tool in body.get("tools") or []]
    return tuple(
        Tool(function.get("name", ""), function.get("parameters") or {})
        for function in functions
        if isinstance(function, dict)
    )


def openai_tool_choice(body: Json) -> str:
    """Return the name of the function that a request to OpenAI insists on; empty where it insists on none."""
    choice = body.get("tool_choice")
    return str(choice.get("function", choice).get("name", "")) if isinstance(choice, dict) else ""


def pieces(text: str | None) -> list[str]:
    """Return the pieces in which a text is streamed."""
    return re.findall(r"\S+\s*", text or "")


def events(bodies: Iterable[Json], *, named: bool, ends: bool = False) -> Iterator[bytes]:
    """Yield server-sent events, `named` after their type, followed by [DONE] where the API `ends` so."""
    for body in bodies:
        prefix = f"event: {body['type']}\n" if named else ""
        yield f"{prefix}data: {json.dumps(body)}\n\n".encode()
    if ends:
        yield b"data: [DONE]\n\n"
