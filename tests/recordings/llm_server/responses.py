"""OpenAI's Responses."""

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


class Responses(OpenAI):
    """POST /v1/responses."""

    path = "responses"

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`."""
        given = body.get("input", "")
        user, is_last = (given, True) if isinstance(given, str) else last_user_message(given)
        stream = bool(body.get("stream"))
        must_call = openai_tool_choice(body)
        return Asked(str(body.get("model")), user, is_last, openai_tools(body), stream, must_call=must_call)

    def whole(self, call: Call, body: Json) -> Json:
        """See `Api`."""
        return {
            "id": f"resp_{call.n}",
            "object": "response",
            "created_at": CREATED,
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": None,
            "model": call.model,
            "output": [_item(call)],
            "parallel_tool_calls": True,
            "previous_response_id": body.get("previous_response_id"),
            "reasoning": {"effort": None, "summary": None},
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice", "auto"),
            "tools": body.get("tools") or [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": {
                "input_tokens": call.input_tokens,
                "input_tokens_details": {"cached_tokens": call.cache_read_tokens},
                "output_tokens": call.output_tokens,
                "output_tokens_details": {"reasoning_tokens": call.reasoning_tokens},
                "total_tokens": call.input_tokens + call.output_tokens,
            },
            "user": None,
            "metadata": {},
        }

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:  # noqa: ARG002
        """See `Api`."""
        steps = enumerate(_events(call, self.whole(call, body)))
        return events((event | {"sequence_number": number} for number, event in steps), named=True)


def _item(call: Call) -> Json:
    """Return the one output item of a response."""
    if call.tool:
        names = {"call_id": f"call_{call.n}", "name": call.tool, "arguments": json.dumps(call.arguments)}
        return {"id": f"fc_{call.n}", "type": "function_call", "status": "completed"} | names
    text: Json = {"type": "output_text", "text": call.answer, "annotations": [], "logprobs": []}
    return {
        "id": f"msg_{call.n}",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }


def _events(call: Call, whole: Json) -> Iterator[Json]:
    """Yield the events of a streamed response; the last carries the whole response."""
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    item = _item(call)
    place = {"item_id": item["id"], "output_index": 0}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    empty: Json = {"arguments": ""} if call.tool else {"content": []}
    added = item | {"status": "in_progress"} | empty
    yield {"type": "response.output_item.added", "output_index": 0, "item": added}
    if call.tool:
        arguments = item["arguments"]
        yield place | {"type": "response.function_call_arguments.delta", "delta": arguments}
        done = {"arguments": arguments, "name": call.tool}
        yield place | {"type": "response.function_call_arguments.done"} | done
    else:
        part = place | {"content_index": 0}
        text: Json = item["content"][0]
        yield part | {"type": "response.content_part.added", "part": text | {"text": ""}}
        for piece in pieces(call.answer):
            yield part | {"type": "response.output_text.delta", "delta": piece, "logprobs": []}
        yield part | {"type": "response.output_text.done", "text": call.answer, "logprobs": []}
        yield part | {"type": "response.content_part.done", "part": text}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": whole}
