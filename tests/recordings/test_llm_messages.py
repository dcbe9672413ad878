"""What the stand-in LLM server reads from messages, whatever the API."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from tests.recordings import llm_server
from tests.recordings.llm_server.calls import Asked, Tool
from tests.recordings.llm_server.messages import openai_tool_choice, text_of, tool_wanted


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hi", "hi"),
        ([{"type": "text", "text": "h"}, {"type": "image"}, {"type": "text", "text": "i"}], "hi"),
        ("<system-reminder>\n# Environment\n</system-reminder>\nhi", "hi"),
        ([{"text": "<system-reminder>one</system-reminder>"}, {"text": "hi"}], "hi"),
        ([{"type": "tool_result"}, {"text": "<system-reminder>one</system-reminder>"}], ""),
        (None, ""),
    ],
)
def test_the_text_is_what_the_person_wrote(content: object, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("required", "arguments"),
    [
        ({}, {"city": "Berlin", "days": 3}),
        ({"required": ["city"]}, {"city": "Berlin"}),
    ],
)
def test_a_tool_gets_what_it_requires(required: dict[str, Any], arguments: dict[str, Any]) -> None:
    schema = {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}} | required
    asked = Asked("m", "the weather?", user_is_last=True, tools=(Tool("get_weather", schema),))
    assert tool_wanted(asked) == ("get_weather", arguments)


def test_what_a_request_insists_on_is_called() -> None:
    tools = (Tool("Report", {"properties": {"city": {"type": "string"}}}), Tool("get_weather", {}))
    asked = Asked("m", "the weather?", user_is_last=False, tools=tools, must_call="Report")
    assert tool_wanted(asked) == ("Report", {"city": "Berlin"})
    body = {"tool_choice": {"type": "function", "function": {"name": "Report"}}}
    assert openai_tool_choice(body) == "Report"
    assert openai_tool_choice({"tool_choice": {"type": "function", "name": "Report"}}) == "Report"
    assert openai_tool_choice({"tool_choice": "auto"}) == openai_tool_choice({}) == ""


def test_a_request_may_come_in_chunks(tmp_path: Path) -> None:
    server = llm_server.serve(tmp_path / "calls.jsonl")
    asked = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    client = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    # A body without a length is sent in chunks.
    client.request("POST", "/v1/chat/completions", iter([asked[:20], asked[20:]]), encode_chunked=True)
    answer = json.loads(client.getresponse().read())
    client.close()
    server.shutdown()
    server.server_close()
    assert answer["choices"][0]["message"]["content"] == "Answer 1: about 'hi', here is what I found."
