"""Gemini's generateContent.

`promptTokenCount` is 50+7n, and 10 of them are cached, inside. `candidatesTokenCount` is 20+3n, and *beside* it 5
tokens are thoughts; `totalTokenCount` is the sum of the three. Each chunk of a stream tells the usage so far.
Thoughts are told in words where a request includes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tests.recordings.llm_server.calls import Asked, Call, Json, Tool, Usage
from tests.recordings.llm_server.messages import events, last_user_message, pieces

CACHED, THOUGHTS = 10, 5


class Gemini:
    """POST /v1beta/models/MODEL:generateContent and :streamGenerateContent, the latter with or without `alt=sse`."""

    def serves(self, path: str) -> bool:
        """See `Api`."""
        return path.endswith((":generateContent", ":streamGenerateContent"))

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`. A content without a role is the user's."""
        model, _, method = path.rpartition("/")[2].partition(":")
        contents = [{"role": "user"} | content for content in body.get("contents") or []]
        user, is_last = last_user_message(list(contents), "parts")
        tools = tuple(
            Tool(declared["name"], _schema(declared))
            for group in body.get("tools") or []
            for declared in group.get("functionDeclarations") or []
        )
        return Asked(model, user, is_last, tools, method == "streamGenerateContent")

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        output = 20 + 3 * n + THOUGHTS
        return Usage(50 + 7 * n, output, cache_read_tokens=CACHED, reasoning_tokens=THOUGHTS)

    def whole(self, call: Call, body: Json) -> Json:
        """See `Api`."""
        return _chunk(call, [*_thoughts(body), _called(call) or {"text": call.answer}], "STOP")

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:
        """See `Api`. Without `alt=sse` the stream is one JSON array."""
        called = _called(call)
        parts = [called] if called else [{"text": piece} for piece in pieces(call.answer)]
        parts = [*_thoughts(body), *parts]
        chunks = [_chunk(call, [part], None) for part in parts[:-1]]
        last = _chunk(call, [parts[-1]], "STOP")
        return (events if _is_sse(query) else _array)([*chunks, last], named=False)

    def stream_type(self, query: str) -> str:
        """See `Api`."""
        return "text/event-stream" if _is_sse(query) else "application/json"

    def error(self) -> Json:
        """See `Api`."""
        return {"error": {"code": 500, "message": "The server had an error.", "status": "INTERNAL"}}

    def variables(self, address: str) -> dict[str, str]:
        """See `Api`."""
        return {"GEMINI_API_KEY": "stand-in", "GOOGLE_GEMINI_BASE_URL": address}


def _is_sse(query: str) -> bool:
    return "alt=sse" in query


def _schema(declared: Json) -> Json:
    # google-genai for Python writes that of a function the other way, which the API takes as well.
    names = ("parameters", "parametersJsonSchema", "parameters_json_schema")
    return next((declared[name] for name in names if declared.get(name)), {})


def _array(bodies: Iterable[Json], *, named: bool) -> Iterator[bytes]:  # noqa: ARG001
    start = b"["
    for body in bodies:
        yield start + json.dumps(body).encode()
        start = b",\r\n"
    yield b"]"


def _thoughts(body: Json) -> list[Json]:
    config = (body.get("generationConfig") or {}).get("thinkingConfig") or {}
    # google-genai for Python writes it the other way, which the API takes as well.
    included = config.get("includeThoughts") or config.get("include_thoughts")
    return [{"text": "Let me think about that.", "thought": True}] if included else []


def _called(call: Call) -> Json | None:
    return {"functionCall": {"name": call.tool, "args": call.arguments}} if call.tool else None


def _chunk(call: Call, parts: list[Json], finish: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    candidates = call.output_tokens - call.reasoning_tokens
    usage = {
        "promptTokenCount": call.input_tokens,
        "cachedContentTokenCount": call.cache_read_tokens,
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": call.reasoning_tokens,
        "totalTokenCount": call.input_tokens + call.output_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": call.input_tokens}],
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": call.model,
        "responseId": f"gemini-{call.n}",
    }
