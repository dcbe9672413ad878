"""Amazon Bedrock's Converse and ConverseStream; any signature is taken.

`usage.inputTokens` is 50+7n; *beside* it 30 tokens are read from the cache and 10 written to it. Those are few on
purpose: a sender that leaves `totalTokens`, which has them all, out of its spans gives nothing by which to see that the
cache is not part of the input, as a cache larger than the input would.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

from tests.recordings.llm_server.calls import Asked, Call, Json, Tool, Usage
from tests.recordings.llm_server.messages import last_user_message, pieces

READ, WRITTEN = 30, 10
STRING = 7
"""The type of a header whose value is a string."""


class Bedrock:
    """POST /model/MODEL/converse and /model/MODEL/converse-stream."""

    def serves(self, path: str) -> bool:
        """See `Api`."""
        return path.startswith("/model/") and path.endswith(("/converse", "/converse-stream"))

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`. The model's ID stands in the path, quoted."""
        model = unquote(path.split("/")[-2])
        user, is_last = last_user_message(body.get("messages") or [])
        offered = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools") or []]
        tools = tuple(Tool(spec["name"], spec["inputSchema"]["json"]) for spec in offered)
        return Asked(model, user, is_last, tools, path.endswith("/converse-stream"))

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        return Usage(50 + 7 * n + READ + WRITTEN, 20 + 3 * n, READ, WRITTEN)

    def whole(self, call: Call, body: Json) -> Json:  # noqa: ARG002
        """See `Api`."""
        used = {"toolUseId": f"tooluse_{call.n}", "name": call.tool, "input": call.arguments}
        block: Json = {"toolUse": used} if call.tool else {"text": call.answer}
        return {
            "output": {"message": {"role": "assistant", "content": [block]}},
            "stopReason": _stop_reason(call),
            **_usage(call),
        }

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:  # noqa: ARG002
        """See `Api`."""
        for event, payload in _events(call):
            yield _message(event, payload)

    def stream_type(self, query: str) -> str:  # noqa: ARG002
        """See `Api`."""
        return "application/vnd.amazon.eventstream"

    def error(self) -> Json:
        """See `Api`."""
        return {"__type": "InternalServerException", "message": "The server had an error."}

    def variables(self, address: str) -> dict[str, str]:
        """See `Api`."""
        return {
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": address,
        }


def _stop_reason(call: Call) -> str:
    return "tool_use" if call.tool else "end_turn"


def _usage(call: Call) -> Json:
    cached = call.cache_read_tokens + call.cache_write_tokens
    usage = {
        "inputTokens": call.input_tokens - cached,
        "outputTokens": call.output_tokens,
        "totalTokens": call.input_tokens + call.output_tokens,
        "cacheReadInputTokens": call.cache_read_tokens,
        "cacheWriteInputTokens": call.cache_write_tokens,
        "cacheDetails": [{"ttl": "5m", "inputTokens": call.cache_write_tokens}],
    }
    return {"usage": usage, "metrics": {"latencyMs": 12}}


def _events(call: Call) -> Iterator[tuple[str, Json]]:
    yield "messageStart", {"role": "assistant"}
    if call.tool:
        started = {"toolUse": {"toolUseId": f"tooluse_{call.n}", "name": call.tool}}
        yield "contentBlockStart", {"contentBlockIndex": 0, "start": started}
        deltas: list[Json] = [{"toolUse": {"input": json.dumps(call.arguments)}}]
    else:
        deltas = [{"text": piece} for piece in pieces(call.answer)]
    for delta in deltas:
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}
    yield "contentBlockStop", {"contentBlockIndex": 0}
    yield "messageStop", {"stopReason": _stop_reason(call)}
    yield "metadata", _usage(call)


def _message(event: str, payload: Json) -> bytes:
    """Return an event in Amazon's framing.

    The lengths of all and of the headers with a checksum of both; headers; the payload; a checksum of all before it.
    """
    named = {":event-type": event, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in named.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 12 + len(headers) + len(body) + 4, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    sized = struct.pack(">BH", STRING, len(value)) + value.encode()
    return struct.pack(">B", len(name)) + name.encode() + sized
