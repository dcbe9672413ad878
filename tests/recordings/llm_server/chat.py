"""OpenAI's chat completions."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.recordings.llm_server.calls import Asked, Call, Json
from tests.recordings.llm_server.messages import (
    events,
    last_user_message,
    openai_tool_choice,
    openai_tools,
    pieces,
)
from tests.recordings.llm_server.openai_api import CREATED, OpenAI


class Chat(OpenAI):
    """POST /v1/chat/completions."""

    path = "chat/completions"

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`. A stream tells its usage only if it is asked to."""
        stream = bool(body.get("stream"))
        usage_sent = not stream or bool((body.get("stream_options") or {}).get("include_usage"))
        user, is_last = last_user_message(body.get("messages") or [])
        form = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
        return Asked(
            str(body.get("model")),
            user,
            is_last,
            openai_tools(body),
            stream,
            usage_sent,
            must_call=openai_tool_choice(body),
            form=form,
        )

    def whole(self, call: Call, body: Json) -> Json:  # noqa: ARG002
        """See `Api`."""
        message: Json = {"role": "assistant", "content": call.answer, "refusal": None}
        if call.tool:
            function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
            message["tool_calls"] = [{"id": f"call_{call.n}", "type": "function", "function": function}]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "tool_calls" if call.tool else "stop",
        }
        return _head(call, "chat.completion") | {"choices": [choice], "usage": _usage(call)}

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:  # noqa: ARG002
        """See `Api`."""
        return events(_chunks(call), named=False, ends=True)


def _head(call: Call, kind: str) -> Json:
    return {"id": f"chatcmpl-{call.n}", "object": kind, "created": CREATED, "model": call.model}


def _usage(call: Call) -> Json:
    return {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        "prompt_tokens_details": {"cached_tokens": call.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": call.reasoning_tokens, "audio_tokens": 0},
    }


def _chunks(call: Call) -> Iterator[Json]:
    """Yield the chunks; usage comes last, if it was asked for."""
    head = _head(call, "chat.completion.chunk")

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    if call.tool:
        function = {"name": call.tool, "arguments": ""}
        started = {"index": 0, "id": f"call_{call.n}", "type": "function", "function": function}
        yield chunk({"role": "assistant", "content": None, "tool_calls": [started]})
        written = {"arguments": json.dumps(call.arguments)}
        yield chunk({"tool_calls": [{"index": 0, "function": written}]})
    else:
        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(call.answer):
            yield chunk({"content": piece})
    yield chunk({}, "tool_calls" if call.tool else "stop")
    if call.usage_sent:
        yield head | {"choices": [], "usage": _usage(call)}
