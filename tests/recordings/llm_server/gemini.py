"""Gemini's generateContent.

`promptTokenCount` is 50+7n, and 10 of them are cached, inside. `candidatesTokenCount` is 20+3n, and *beside* it 5
tokens are thoughts; `totalTokenCount` is the sum of the three. Each chunk of a stream tells the usage so far.
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
            Tool(declared["name"], declared.get("parameters") or declared.get("parametersJsonSchema") or {})
            for group in body.get("tools") or []
            for declared in group.get("functionDeclarations") or []
        )
        return Asked(model, user, is_last, tools, method == "streamGenerateContent")

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        output = 20 + 3 * n + THOUGHTS
        return Usage(50 + 7 * n, output, cache_read_tokens=CACHED, reasoning_tokens=THOUGHTS)

    def whole(self, call: Call, body: Json) -> Json:  # noqa: ARG002
        """See `Api`."""
        if call.tool:
            return _chunk(call, {"functionCall": {"name": call.tool, "args": call.arguments}}, "STOP")
        return _chunk(call, {"text": call.answer}, "STOP")

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:
        """See `Api`. Without `alt=sse` the stream is one JSON array."""
        texts = [] if call.tool else pieces(call.answer)
        chunks = [_chunk(call, {"text": piece}, None) for piece in texts[:-1]]
        last = _chunk(call, {"text": texts[-1]}, "STOP") if texts else self.whole(call, body)
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


def _array(bodies: Iterable[Json], *, named: bool) -> Iterator[bytes]:  # noqa: ARG001
    start = b"["
    for body in bodies:
        yield start + json.dumps(body).encode()
        start = b",\r\n"
    yield b"]"


def _chunk(call: Call, part: Json, finish: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": [part]}, "index": 0}
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
