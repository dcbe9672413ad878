"""The stand-in LLM server answers as documented, so that a recording's sums are known beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.recordings import llm_server

WEATHER = {"name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}}


@dataclass(frozen=True)
class Stand:
    """A stand-in that listens, and its log."""

    port: int
    log: Path

    def post(self, path: str, **body: Any) -> str:
        request = Request(f"http://127.0.0.1:{self.port}/v1/{path}", json.dumps(body).encode())
        with urlopen(request, timeout=10) as response:
            return str(response.read().decode())

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    server = llm_server.serve(tmp_path / "calls.jsonl")
    yield Stand(server.server_port, tmp_path / "calls.jsonl")
    server.shutdown()
    server.server_close()


def events(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def user(words: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be brief"}, {"role": "user", "content": words}]


def test_the_nth_answer_used_50_and_7n_and_20_and_3n_tokens(stand: Stand) -> None:
    for n in (1, 2):
        answer = json.loads(stand.post("chat/completions", model="m", messages=user("hi")))
        assert answer["choices"][0]["message"]["content"] == f"Answer {n}: about 'hi', here is what I found."
        assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (
            50 + 7 * n,
            20 + 3 * n,
        )
    assert [call["n"] for call in stand.calls()] == [1, 2]
    assert [call["user"] for call in stand.calls()] == ["hi", "hi"]


@pytest.mark.parametrize("asked", [True, False])
def test_a_stream_of_chat_gives_its_usage_last_if_asked(stand: Stand, asked: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if asked else {}
    text = stand.post("chat/completions", model="m", messages=user("hi"), stream=True, **options)
    chunks = events(text)
    pieces = [c["choices"][0]["delta"].get("content") for c in chunks if c["choices"]]
    assert "".join(piece or "" for piece in pieces) == "Answer 1: about 'hi', here is what I found."
    assert ("usage" in chunks[-1]) == asked
    assert text.endswith("data: [DONE]\n\n")
    assert stand.calls()[0]["usage_sent"] == asked


def test_responses_as_a_whole_and_as_a_stream(stand: Stand) -> None:
    whole = json.loads(stand.post("responses", model="m", input="hi"))
    assert whole["output"][0]["content"][0]["text"] == "Answer 1: about 'hi', here is what I found."
    assert (whole["usage"]["input_tokens"], whole["usage"]["output_tokens"]) == (57, 23)
    streamed = events(stand.post("responses", model="m", input=user("hi"), stream=True))
    assert [event["sequence_number"] for event in streamed] == list(range(len(streamed)))
    assert streamed[-1]["type"] == "response.completed"
    assert streamed[-1]["response"]["usage"]["input_tokens"] == 64


def test_a_tool_is_called_once_where_its_name_is_mentioned(stand: Stand) -> None:
    offered = [{"type": "function", "function": WEATHER}]
    messages: list[Any] = user("the weather?")
    first = json.loads(stand.post("chat/completions", model="m", messages=messages, tools=offered))
    [call] = first["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Berlin"}'}
    messages += [
        first["choices"][0]["message"],
        {"role": "tool", "content": "20C", "tool_call_id": call["id"]},
    ]
    second = json.loads(stand.post("chat/completions", model="m", messages=messages, tools=offered))
    assert second["choices"][0]["message"]["content"].startswith("Answer 2: about 'the weather?'")
    third = json.loads(
        stand.post("responses", model="m", input="the weather?", tools=[{"type": "function", **WEATHER}])
    )
    assert third["output"][0]["name"] == "get_weather"
    assert [call["tool"] for call in stand.calls()] == ["get_weather", None, "get_weather"]


def test_failed_calls_take_no_number(stand: Stand) -> None:
    for words in ("please fail", "fail once"):
        with pytest.raises(HTTPError, match="500"):
            stand.post("chat/completions", model="m", messages=user(words))
    assert "Answer 1" in stand.post("chat/completions", model="m", messages=user("fail once"))
    assert [(call["failed"], call["n"]) for call in stand.calls()] == [(True, None), (True, None), (False, 1)]


def test_embeddings_have_no_output(stand: Stand) -> None:
    answer = json.loads(stand.post("embeddings", model="m", input=["a", "b"]))
    assert (len(answer["data"]), answer["usage"]["prompt_tokens"]) == (2, 57)
    assert stand.calls()[0]["output_tokens"] == 0
