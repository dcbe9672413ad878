"""A stand-in for the OpenAI API whose usage is known beforehand.

The n-th answer used 50+7n input and 20+3n output tokens (an embedding has no output), and says
"Answer n: about '<last user message>', here is what I found." The last user message decides what happens:

* it names a word of an offered tool (`get_weather`, "the weather in Rome"): the tool is called, once;
* it contains "please fail": HTTP 500, not to be retried by the client;
* it contains "fail once": HTTP 500, not to be retried by the client, the first time it is asked.

A failed call is no answer: it takes no number. Every call is one JSON line in the log, so that truth
can be worked out from what was asked and answered, never from telemetry.

    python -m tests.recordings.llm_server --port 8600 --log calls.jsonl
"""

from __future__ import annotations

import argparse
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request and what was answered. Tokens as billed, 0 for a failed call."""

    n: int | None
    path: str
    model: str
    user: str
    input_tokens: int
    output_tokens: int
    answer: str | None
    tool: str | None
    stream: bool
    usage_sent: bool
    failed: bool


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part.get("text", "") for part in parts if isinstance(part, dict))


def last_user_message(body: Json) -> tuple[str, bool]:
    """Return the last user message, and whether nothing follows it."""
    given: Any = body.get("messages", body.get("input", ""))
    if isinstance(given, str):
        return given, True
    if given and all(isinstance(item, str) for item in given):
        return given[-1], True
    for index in range(len(given) - 1, -1, -1):
        if isinstance(given[index], dict) and given[index].get("role") == "user":
            return text_of(given[index].get("content")), index == len(given) - 1
    return "", False


def tool_wanted(body: Json) -> tuple[str, str] | None:
    """Return the name of the tool to call and its arguments as JSON, if the last message asks for one."""
    user, is_last = last_user_message(body)
    if not is_last:
        return None
    for tool in body.get("tools") or []:
        function = tool.get("function", tool)
        words = re.findall(r"[A-Z]?[a-z]+", function.get("name", ""))
        if any(len(word) > 3 and word.lower() in user.lower() for word in words):
            properties = (function.get("parameters") or {}).get("properties") or {}
            numbers = ("number", "integer")
            chosen = {
                name: 3 if kind.get("type") in numbers else "Berlin" for name, kind in properties.items()
            }
            return function["name"], json.dumps(chosen)
    return None


class Ledger:
    """Numbers the answers and writes the log."""

    def __init__(self, log: Path) -> None:
        """Append to `log`."""
        self._log = log
        self._lock = threading.Lock()
        self._answers = 0
        self._failed_once: set[str] = set()

    def next_answer(self) -> int:
        """Return the number of the next answer, from 1."""
        with self._lock:
            self._answers += 1
            return self._answers

    def must_fail(self, user: str) -> bool:
        """Whether this call has to fail."""
        if "please fail" in user:
            return True
        with self._lock:
            first = "fail once" in user and user not in self._failed_once
            self._failed_once.add(user)
            return first

    def write(self, call: Call) -> None:
        """Add a line to the log."""
        with self._lock, self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(call), ensure_ascii=False) + "\n")


def chat(call: Call, tool: tuple[str, str] | None) -> Json:
    """Return the body of a chat completion."""
    message: Json = {"role": "assistant", "content": call.answer, "refusal": None}
    if tool:
        function = {"name": tool[0], "arguments": tool[1]}
        message["tool_calls"] = [{"id": f"call_{call.n}", "type": "function", "function": function}]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": "tool_calls" if tool else "stop",
    }
    return {
        "id": f"chatcmpl-{call.n}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": call.model,
        "choices": [choice],
        "usage": chat_usage(call),
    }


def chat_usage(call: Call) -> Json:
    """Return the usage of a chat completion."""
    return {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def chat_chunks(call: Call, tool: tuple[str, str] | None) -> Iterator[Json]:
    """Yield the chunks of a streamed chat completion; usage comes last, if it was asked for."""
    head: Json = {
        "id": f"chatcmpl-{call.n}",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": call.model,
    }

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    if tool:
        function = {"name": tool[0], "arguments": ""}
        started = {"index": 0, "id": f"call_{call.n}", "type": "function", "function": function}
        yield chunk({"role": "assistant", "content": None, "tool_calls": [started]})
        yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": tool[1]}}]})
    else:
        yield chunk({"role": "assistant", "content": ""})
        for piece in re.findall(r"\S+\s*", call.answer or ""):
            yield chunk({"content": piece})
    yield chunk({}, "tool_calls" if tool else "stop")
    if call.usage_sent:
        yield head | {"choices": [], "usage": chat_usage(call)}


def output_item(call: Call, tool: tuple[str, str] | None) -> Json:
    """Return the one output item of a response."""
    if tool:
        names = {"call_id": f"call_{call.n}", "name": tool[0], "arguments": tool[1]}
        return {"id": f"fc_{call.n}", "type": "function_call", "status": "completed"} | names
    text: Json = {"type": "output_text", "text": call.answer, "annotations": [], "logprobs": []}
    return {
        "id": f"msg_{call.n}",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }


def response(call: Call, body: Json, tool: tuple[str, str] | None) -> Json:
    """Return the body of the Responses API."""
    return {
        "id": f"resp_{call.n}",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": None,
        "model": call.model,
        "output": [output_item(call, tool)],
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
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": call.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": call.input_tokens + call.output_tokens,
        },
        "user": None,
        "metadata": {},
    }


def response_events(call: Call, body: Json, tool: tuple[str, str] | None) -> Iterator[Json]:
    """Yield the events of a streamed response; the last carries the whole response."""
    whole = response(call, body, tool)
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    item = output_item(call, tool)
    place = {"item_id": item["id"], "output_index": 0}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    empty: Json = {"arguments": ""} if tool else {"content": []}
    added = item | {"status": "in_progress"} | empty
    yield {"type": "response.output_item.added", "output_index": 0, "item": added}
    if tool:
        yield place | {"type": "response.function_call_arguments.delta", "delta": tool[1]}
        yield place | {"type": "response.function_call_arguments.done", "arguments": tool[1], "name": tool[0]}
    else:
        part = place | {"content_index": 0}
        text: Json = item["content"][0]
        yield part | {"type": "response.content_part.added", "part": text | {"text": ""}}
        for piece in re.findall(r"\S+\s*", call.answer or ""):
            yield part | {"type": "response.output_text.delta", "delta": piece, "logprobs": []}
        yield part | {"type": "response.output_text.done", "text": call.answer, "logprobs": []}
        yield part | {"type": "response.content_part.done", "part": text}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": whole}


def embeddings(call: Call, body: Json) -> Json:
    """Return one vector for each text."""
    given = body.get("input")
    texts = given if isinstance(given, list) and not all(isinstance(item, int) for item in given) else [given]
    vectors = [
        {"object": "embedding", "index": i, "embedding": [0.25, -0.5, 0.125]} for i in range(len(texts))
    ]
    usage = {"prompt_tokens": call.input_tokens, "total_tokens": call.input_tokens}
    return {"object": "list", "data": vectors, "model": call.model, "usage": usage}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    ledger: Ledger

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log says it."""

    def do_GET(self) -> None:
        """Answer that the server is there."""
        self._reply(200, {"object": "list", "data": []})

    def do_POST(self) -> None:
        """Answer a call of the API."""
        body: Json = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        path = self.path.split("?")[0]
        endpoint = next(
            (e for e in ("chat/completions", "responses", "embeddings") if path.endswith(e)), None
        )
        if endpoint is None:
            self._reply(404, {"error": {"message": f"no such path: {path}", "type": "invalid_request_error"}})
            return
        user, _ = last_user_message(body)
        stream, model = bool(body.get("stream")), str(body.get("model"))
        if self.ledger.must_fail(user):
            self.ledger.write(Call(None, path, model, user, 0, 0, None, None, stream, False, True))
            error = {
                "message": "The server had an error.",
                "type": "server_error",
                "param": None,
                "code": None,
            }
            self._reply(500, {"error": error}, {"x-should-retry": "false"})
            return
        n = self.ledger.next_answer()
        embeds = endpoint == "embeddings"
        tool = None if embeds else tool_wanted(body)
        answer = None if embeds or tool else f"Answer {n}: about '{user}', here is what I found."
        asked = (
            not stream
            or endpoint == "responses"
            or bool((body.get("stream_options") or {}).get("include_usage"))
        )
        output_tokens = 0 if embeds else 20 + 3 * n
        name = tool[0] if tool else None
        call = Call(n, path, model, user, 50 + 7 * n, output_tokens, answer, name, stream, asked, False)
        self.ledger.write(call)
        if embeds:
            self._reply(200, embeddings(call, body))
        elif endpoint == "responses":
            if stream:
                self._stream(response_events(call, body, tool), named=True)
            else:
                self._reply(200, response(call, body, tool))
        elif stream:
            self._stream(chat_chunks(call, tool), named=False)
        else:
            self._reply(200, chat(call, tool))

    def _reply(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Iterator[Json], named: bool) -> None:
        """Send server-sent events: the Responses API names and numbers them, chat ends with [DONE]."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for number, event in enumerate(events):
            numbered = event | {"sequence_number": number} if named else event
            prefix = f"event: {event['type']}\n" if named else ""
            self.wfile.write(f"{prefix}data: {json.dumps(numbered)}\n\n".encode())
            self.wfile.flush()
        if not named:
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True


def serve(log: Path, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback (a free port by default) and answer in a thread of its own until `shutdown()`."""
    handler = type("BoundHandler", (Handler,), {"ledger": Ledger(log)})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    serve(options.log, options.port)
    threading.Event().wait()


if __name__ == "__main__":
    main()
