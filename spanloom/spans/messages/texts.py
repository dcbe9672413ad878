"""What a person said and what the assistant answered, out of the many forms in which messages are recorded.

A *message value* is what an attribute holds once its JSON is parsed: a list of messages, one message, a
request or a response with messages inside, or a plain text. The forms, and who writes them:

* `{"role", "content": "text"}`: OpenAI, Laminar, Langfuse, flattened keys put together again
* `{"role", "content": [parts]}` and `{"role", "parts": [parts]}`: OpenAI, Vercel, OpenTelemetry, Gemini
* `{"choices": [{"message"}]}`, `[{"message", "finish_reason"}]`: OpenAI's responses, Laminar
* `{"messages"}`, `{"prompt"}`, `{"contents"}`, `{"input"}`, `{"output"}`: requests and responses as a whole
* `{"type": "human", "content"}`, `{"type": "human", "data": {"content"}}`, `["human", "text"]`,
  `{"kwargs": {"content"}}`, `{"generations"}`: LangChain

Part types are those of OpenAI's Chat and Responses APIs, Anthropic, Gemini, the AI SDK and the JSON schemas
of https://opentelemetry.io/docs/specs/semconv/gen-ai/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spanloom.spans.messages.media import media_label
from spanloom.spans.text.parsing import parse_json

Message = Mapping[str, object]

_USER = frozenset({"user", "human", "humanmessage", "humanmessagechunk"})
_NOT_ASSISTANT = _USER | frozenset(
    {"system", "developer", "tool", "function", "systemmessage", "toolmessage", "functionmessage"}
)
_SPEAKERS = frozenset({"user", "human", "assistant", "ai", "system"})
_TOOL_ITEMS = ("_call", "_call_output", "tool_use", "tool_result", "tool-call", "tool-result")
"""How the types of items end that stand beside messages and hold what a tool was asked and what it returned."""

_TEXT_PARTS = frozenset({None, "text", "input_text", "output_text", "message"})
_WRAPPERS = {
    "user": ("messages", "contents", "prompt", "input", "inputs", "message"),
    "assistant": ("choices", "candidates", "generations", "output", "outputs", "messages", "message"),
}
"""Members of a request or response that hold messages, in the order in which they are tried."""

_MAX_DEPTH = 8
"""How deep messages are looked for inside of each other; real forms need four levels."""


def message_value(text: str) -> object:
    """The message value of an attribute's text: JSON where it is JSON, else the text itself."""
    if text[:1] in ("[", "{", '"') or text[:1].isspace():
        try:
            return parse_json(text)
        except ValueError:
            return text
    return text


def user_text(value: object) -> str:
    """What the user said last; empty if no message of a user has any text."""
    for message in reversed(_messages(value, "user")):
        if _role(message) in _USER and (text := _text(message)):
            return text
    return ""


def assistant_text(value: object) -> str:
    """What the assistant answered: the last message with a text, of several choices the first; empty for a
    pure tool call. A plain text is the answer."""
    if isinstance(value, str):
        return value
    for message in reversed(_messages(value, "assistant")):
        if _role(message) not in _NOT_ASSISTANT and (text := _text(message)):
            return text
    return ""


def _messages(value: object, role: str) -> Sequence[Message]:
    """The messages in a value, in order; `role` is whose words a text without a role would be."""
    if isinstance(value, list) and all(isinstance(item, dict) and "role" in item for item in value):
        return value
    return list(_search(value, role, 0))


def _search(value: object, role: str, depth: int) -> Iterator[Message]:
    """The messages in a value, in order; `role` is whose words a text without a role would be."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str) and value[0].lower() in _SPEAKERS:
            yield {"role": value[0], "content": value[1]}
            return
        for item in value:
            if isinstance(item, dict | list):
                yield from _search(item, role, depth + 1)
        return
    if not isinstance(value, dict):
        return
    if isinstance(kwargs := value.get("kwargs"), dict) and isinstance(path := value.get("id"), list):
        # LangChain's serialization: {"lc": 1, "type": "constructor", "id": [..., "HumanMessage"], "kwargs":
        # {...}}
        yield {**kwargs, "role": path[-1] if path else ""}
        return
    if isinstance(data := value.get("data"), dict) and "content" in data and "content" not in value:
        yield {"role": value.get("type"), **data}
        return
    if isinstance(kind := value.get("type"), str) and kind.endswith(_TOOL_ITEMS):
        return
    if "role" in value or "parts" in value or ("content" in value and "message" not in value):
        yield value
        return
    for wrapper in _WRAPPERS[role]:
        inside = value.get(wrapper)
        if isinstance(inside, str) and inside and depth < 2:
            yield {"role": role, "content": inside}
            return
        if isinstance(inside, list) and wrapper == "choices":
            for choice in inside:
                found = [message for message in _search(choice, role, depth + 1) if _text(message)]
                if found:
                    yield found[-1]
                    return
            return
        if isinstance(inside, dict | list):
            yield from _search(inside, role, depth + 1)
            return
    if role == "assistant" and isinstance(text := value.get("text"), str):
        yield {"role": role, "content": text}


def _role(message: Message) -> str:
    role = message.get("role")
    if not isinstance(role, str):
        role = message.get("type")
    return role.lower() if isinstance(role, str) else ""


def _text(message: Message) -> str:
    """The text parts of a message, joined by line breaks; media stand for themselves as `[image:
    image/png]`."""
    for member in ("content", "parts"):
        content = message.get(member)
        if content is None:
            continue
        text = content_text(content, 0)
        if text:
            return text
    if isinstance(refusal := message.get("refusal"), str):
        return refusal
    # An answer of OpenAI in sound comes with its words.
    audio = message.get("audio")
    transcript = audio.get("transcript") if isinstance(audio, dict) else None
    return transcript if isinstance(transcript, str) else ""


def content_text(content: object, depth: int) -> str:
    """The text of a message's content: a text, a part, or a list of parts."""
    if isinstance(content, str):
        return content
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(content, list):
        texts = [content_text(part, depth + 1) for part in content]
        return "\n".join(text for text in texts if text)
    if not isinstance(content, dict):
        return ""
    kind = content.get("type")
    if not isinstance(kind, str):
        kind = None
    if kind in _TEXT_PARTS:
        for member in ("text", "content", "parts", "value"):
            text = content.get(member)
            if isinstance(text, str):
                return text
            if isinstance(text, dict | list):
                return content_text(text, depth + 1)
    if kind == "refusal":
        return content_text(content.get("refusal"), depth + 1)
    return media_label(content)
