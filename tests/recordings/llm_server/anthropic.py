"""Anthropic's Messages.

`usage.input_tokens` is 50+7n; *beside* it 2,000 tokens are read from the cache and 100 written to it, 60 of them for
five minutes and 40 for an hour. 4 of the output tokens are thinking, inside. A stream tells what it knows of the
usage when it starts, and all of it at its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from tests.recordings.llm_server.calls import Asked, Call, Json, Tool, Usage
from tests.recordings.llm_server.messages import events, last_user_message, pieces

READ, WRITTEN_5M, WRITTEN_1H = 2_000, 60, 40
WRITTEN = WRITTEN_5M + WRITTEN_1H


class Anthropic:
    """POST /v1/messages."""

    def serves(self, path: str) -> bool:
        """See `Api`."""
        return path.endswith("/messages")

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`."""
        user, is_last = last_user_message(body.get("messages") or [])
        tools = tuple(
            Tool(tool.get("name", ""), tool.get("input_schema") or {}) for tool in body.get("tools") or []
        )
        return Asked(str(body.get("model")), user, is_last, tools, bool(body.get("stream")))

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        return Usage(50 + 7 * n + READ + WRITTEN, 20 + 3 * n, READ, WRITTEN, 4)

    def whole(self, call: Call, body: Json) -> Json:  # noqa: ARG002
        """See `Api`."""
        return {
            "id": f"msg_{call.n}",
            "type": "message",
            "role": "assistant",
            "model": call.model,
            "content": [_block(call)],
            "stop_reason": "tool_use" if call.tool else "end_turn",
            "stop_sequence": None,
            "usage": _usage(call),
        }

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:  # noqa: ARG002
        """See `Api`."""
        return events(_events(call, self.whole(call, body)), named=True)

    def stream_type(self, query: str) -> str:  # noqa: ARG002
        """See `Api`."""
        return "text/event-stream"

    def error(self) -> Json:
        """See `Api`."""
        error = {"type": "api_error", "message": "The server had an error."}
        return {"type": "error", "error": error, "request_id": None}

    def variables(self, address: str) -> dict[str, str]:
        """See `Api`."""
        return {"ANTHROPIC_API_KEY": "stand-in", "ANTHROPIC_BASE_URL": address}


class CountTokens(Anthropic):
    """POST /v1/messages/count_tokens: what a prompt would use."""

    def serves(self, path: str) -> bool:
        """See `Api`."""
        return path.endswith("/messages/count_tokens")

    def asked(self, path: str, query: str, body: Json) -> Asked:
        """See `Api`."""
        return replace(super().asked(path, query, body), is_call=False)

    def whole(self, call: Call, body: Json) -> Json:  # noqa: ARG002
        """See `Api`."""
        return {"input_tokens": 57}


def _usage(call: Call) -> Json:
    return {
        "input_tokens": call.input_tokens - call.cache_read_tokens - call.cache_write_tokens,
        "cache_creation_input_tokens": call.cache_write_tokens,
        "cache_read_input_tokens": call.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": WRITTEN_5M,
            "ephemeral_1h_input_tokens": WRITTEN_1H,
        },
        "output_tokens": call.output_tokens,
        "output_tokens_details": {"thinking_tokens": call.reasoning_tokens},
        "server_tool_use": None,
        "service_tier": "standard",
    }


def _block(call: Call) -> Json:
    """Return the one content block of an answer."""
    if call.tool:
        return {"type": "tool_use", "id": f"toolu_{call.n}", "name": call.tool, "input": call.arguments}
    return {"type": "text", "text": call.answer, "citations": None}


def _events(call: Call, whole: Json) -> Iterator[Json]:
    """Yield the events of a stream; the usage of the last but one is the whole."""
    usage = _usage(call)
    begun: Json = {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    yield {"type": "message_start", "message": whole | begun}
    empty: Json = {"input": {}} if call.tool else {"text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": _block(call) | empty}
    yield {"type": "ping"}
    if call.tool:
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}]
    else:
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(call.answer)]
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stopped = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stopped, "usage": usage}
    yield {"type": "message_stop"}
