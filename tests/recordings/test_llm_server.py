"""The stand-in LLM server answers as documented, so that a recording's sums are known beforehand."""

from __future__ import annotations

import json
import struct
import zlib
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
        """Ask OpenAI's or Anthropic's API; a path from the root is Gemini's or Bedrock's."""
        return self.post_for_bytes(path, **body).decode()

    def post_for_bytes(self, path: str, **body: Any) -> bytes:
        """Ask for an answer that is no text."""
        whole = path if path.startswith("/") else f"/v1/{path}"
        request = Request(f"http://127.0.0.1:{self.port}{whole}", json.dumps(body).encode())
        with urlopen(request, timeout=10) as response:
            return bytes(response.read())

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


def test_openai_counts_cached_and_reasoning_tokens_inside(stand: Stand) -> None:
    chat = json.loads(stand.post("chat/completions", model="m", messages=user("hi")))["usage"]
    assert chat["prompt_tokens_details"]["cached_tokens"] == 10
    assert chat["completion_tokens_details"]["reasoning_tokens"] == 4
    assert chat["total_tokens"] == 57 + 23
    response = json.loads(stand.post("responses", model="m", input="hi"))["usage"]
    assert response["input_tokens_details"]["cached_tokens"] == 10
    assert response["output_tokens_details"]["reasoning_tokens"] == 4
    assert [(call["cache_read_tokens"], call["reasoning_tokens"]) for call in stand.calls()] == [(10, 4)] * 2


def test_anthropic_counts_the_cache_beside_the_input(stand: Stand) -> None:
    answer = json.loads(stand.post("messages", model="m", messages=user("hi")[1:], max_tokens=9))
    assert answer["content"][0]["text"] == "Answer 1: about 'hi', here is what I found."
    usage = answer["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (57, 23)
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (2_000, 100)
    assert sum(usage["cache_creation"].values()) == 100
    [call] = stand.calls()
    assert (call["input_tokens"], call["output_tokens"], call["reasoning_tokens"]) == (2_157, 23, 4)


def test_a_stream_of_anthropic_tells_its_usage_at_the_end(stand: Stand) -> None:
    text = stand.post("messages", model="m", messages=user("hi")[1:], stream=True)
    told = events(text)
    assert text.startswith("event: message_start\n")
    pieces = [event["delta"]["text"] for event in told if event["type"] == "content_block_delta"]
    assert "".join(pieces) == "Answer 1: about 'hi', here is what I found."
    assert told[0]["message"]["usage"]["output_tokens"] == 1
    assert [event["type"] for event in told[-2:]] == ["message_delta", "message_stop"]
    assert (told[-2]["usage"]["input_tokens"], told[-2]["usage"]["output_tokens"]) == (57, 23)


def test_anthropic_calls_a_tool_once(stand: Stand) -> None:
    tools = [{"name": "get_weather", "input_schema": WEATHER["parameters"]}]
    messages: list[Any] = user("the weather?")[1:]
    first = json.loads(stand.post("messages", model="m", messages=messages, tools=tools))
    assert (first["stop_reason"], first["content"][0]["input"]) == ("tool_use", {"city": "Berlin"})
    result = {"type": "tool_result", "tool_use_id": first["content"][0]["id"], "content": "20C"}
    messages += [
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": [result]},
    ]
    second = events(stand.post("messages", model="m", messages=messages, tools=tools, stream=True))
    assert second[1]["content_block"]["type"] == "text"
    streamed = events(stand.post("messages", model="m", messages=messages[:1], tools=tools, stream=True))
    assert streamed[3]["delta"] == {"type": "input_json_delta", "partial_json": '{"city": "Berlin"}'}
    assert [call["user"] for call in stand.calls()] == ["the weather?"] * 3


def test_counting_the_tokens_of_a_prompt_is_no_call(stand: Stand) -> None:
    counted = json.loads(stand.post("messages/count_tokens", model="m", messages=user("hi")[1:]))
    assert counted == {"input_tokens": 57}
    assert not stand.log.exists()


GEMINI = "/v1beta/models/gemini-2.5-flash"


def contents(words: str) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"text": words}]}]


def test_gemini_counts_thoughts_beside_the_candidates(stand: Stand) -> None:
    answer = json.loads(stand.post(f"{GEMINI}:generateContent", contents=contents("hi")))
    [part] = answer["candidates"][0]["content"]["parts"]
    assert part["text"] == "Answer 1: about 'hi', here is what I found."
    usage = answer["usageMetadata"]
    assert (usage["promptTokenCount"], usage["cachedContentTokenCount"]) == (57, 10)
    assert (usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (23, 5)
    assert usage["totalTokenCount"] == 57 + 23 + 5
    [call] = stand.calls()
    assert (call["model"], call["input_tokens"], call["output_tokens"]) == ("gemini-2.5-flash", 57, 28)


@pytest.mark.parametrize("query", ["", "?alt=sse"])
def test_gemini_streams_an_array_or_events(stand: Stand, query: str) -> None:
    text = stand.post(f"{GEMINI}:streamGenerateContent{query}", contents=contents("hi"))
    chunks = events(text) if query else json.loads(text)
    pieces = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks]
    assert "".join(pieces) == "Answer 1: about 'hi', here is what I found."
    assert ["finishReason" in chunk["candidates"][0] for chunk in chunks].count(True) == 1
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] == 85


@pytest.mark.parametrize("schema", ["parameters", "parametersJsonSchema", "parameters_json_schema"])
@pytest.mark.parametrize("kind", ["string", "STRING"])
def test_gemini_calls_a_tool_once(stand: Stand, kind: str, schema: str) -> None:
    parameters = {"type": "OBJECT", "properties": {"city": {"type": kind}, "days": {"type": "INTEGER"}}}
    tools = [{"functionDeclarations": [{"name": "get_weather", schema: parameters}]}]
    asked = contents("the weather?")
    first = json.loads(stand.post(f"{GEMINI}:generateContent", contents=asked, tools=tools))
    called = first["candidates"][0]["content"]
    assert called["parts"][0]["functionCall"] == {
        "name": "get_weather",
        "args": {"city": "Berlin", "days": 3},
    }
    result = {"functionResponse": {"name": "get_weather", "response": {"output": "20C"}}}
    asked += [called, {"role": "user", "parts": [result]}]
    path = f"{GEMINI}:streamGenerateContent?alt=sse"
    second = events(stand.post(path, contents=asked, tools=tools))
    assert "text" in second[0]["candidates"][0]["content"]["parts"][0]
    assert [call["tool"] for call in stand.calls()] == ["get_weather", None]


CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
BEDROCK = f"/model/{CLAUDE.replace(':', '%3A')}"


def test_gemini_tells_its_thoughts_where_they_are_asked_for(stand: Stand) -> None:
    config = {"thinkingConfig": {"includeThoughts": True}}
    whole = json.loads(
        stand.post(f"{GEMINI}:generateContent", contents=contents("hi"), generationConfig=config)
    )
    thought, answer = whole["candidates"][0]["content"]["parts"]
    assert thought["thought"] is True
    assert "thought" not in answer
    path = f"{GEMINI}:streamGenerateContent?alt=sse"
    first, *_ = events(stand.post(path, contents=contents("hi"), generationConfig=config))
    assert first["candidates"][0]["content"]["parts"] == [thought]


def told(words: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"text": words}]}]


def test_bedrock_counts_the_cache_beside_the_input_and_inside_the_total(stand: Stand) -> None:
    answer = json.loads(stand.post(f"{BEDROCK}/converse", messages=told("hi")))
    [block] = answer["output"]["message"]["content"]
    assert block["text"] == "Answer 1: about 'hi', here is what I found."
    usage = answer["usage"]
    assert (usage["inputTokens"], usage["outputTokens"], usage["totalTokens"]) == (57, 23, 120)
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (30, 10)
    [call] = stand.calls()
    assert (call["model"], call["input_tokens"], call["output_tokens"]) == (CLAUDE, 97, 23)


def frames(body: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name and the payload of each frame, after both checksums are compared."""
    while body:
        size, header_size, checksum = struct.unpack(">III", body[:12])
        assert checksum == zlib.crc32(body[:8])
        assert struct.unpack(">I", body[size - 4 : size])[0] == zlib.crc32(body[: size - 4])
        headers = body[12 : 12 + header_size]
        # The first header: its name's length, its name, the type and the length of its value.
        name_end = 1 + headers[0]
        value_size = int.from_bytes(headers[name_end + 1 : name_end + 3], "big")
        assert headers[1:name_end] == b":event-type"
        event = headers[name_end + 3 : name_end + 3 + value_size].decode()
        yield event, json.loads(body[12 + header_size : size - 4])
        body = body[size:]


def test_bedrock_streams_in_amazons_framing_and_calls_a_tool_once(stand: Stand) -> None:
    spec = {"name": "get_weather", "inputSchema": {"json": WEATHER["parameters"]}}
    tools = {"tools": [{"toolSpec": spec}]}
    asked = told("the weather?")
    first = list(frames(stand.post_for_bytes(f"{BEDROCK}/converse-stream", messages=asked, toolConfig=tools)))
    assert [event for event, _ in first][:2] == ["messageStart", "contentBlockStart"]
    assert first[2][1]["delta"] == {"toolUse": {"input": '{"city": "Berlin"}'}}
    assert first[-1][0] == "metadata"
    assert first[-1][1]["usage"]["totalTokens"] == 120
    asked += [{"role": "assistant", "content": []}, {"role": "user", "content": [{"toolResult": {}}]}]
    second = frames(stand.post_for_bytes(f"{BEDROCK}/converse-stream", messages=asked, toolConfig=tools))
    pieces = [payload["delta"]["text"] for event, payload in second if event == "contentBlockDelta"]
    assert "".join(pieces) == "Answer 2: about 'the weather?', here is what I found."


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("messages", {"messages": user("please fail")[1:]}, ("error", "type", "api_error")),
        (f"{GEMINI}:generateContent", {"contents": contents("please fail")}, ("error", "status", "INTERNAL")),
        ("responses", {"input": "please fail"}, ("error", "type", "server_error")),
    ],
)
def test_each_api_fails_in_its_own_words(
    stand: Stand, path: str, body: dict[str, Any], kind: tuple[str, str, str]
) -> None:
    with pytest.raises(HTTPError, match="500") as failure:
        stand.post(path, model="m", **body)
    error, key, value = kind
    assert json.loads(failure.value.read())[error][key] == value
    assert stand.calls()[0]["failed"]


def test_a_path_of_no_api_is_not_found(stand: Stand) -> None:
    with pytest.raises(HTTPError, match="404"):
        stand.post("nothing", model="m")
    assert not stand.log.exists()
