"""The stand-in's interactions: answered like Gemini's other API, kept, and fetched without being used again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.recordings import llm_server

PATH = "/v1beta/interactions"


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    server = llm_server.serve(tmp_path / "calls.jsonl")
    yield server
    server.shutdown()
    server.server_close()


def answer(stand: ThreadingHTTPServer, path: str, **body: Any) -> str:
    """What is answered to a POST, without a body to a GET."""
    data = json.dumps({"model": "gemini-2.5-flash", **body}).encode() if body else None
    with urlopen(Request(f"http://127.0.0.1:{stand.server_port}{path}", data), timeout=10) as response:
        return bytes(response.read()).decode()


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


def test_an_interaction_counts_thoughts_beside_the_output(stand: ThreadingHTTPServer, tmp_path: Path) -> None:
    found = json.loads(answer(stand, PATH, input="hi"))
    assert found["steps"][-1]["content"][0]["text"] == "Answer 1: about 'hi', here is what I found."
    usage = found["usage"]
    assert (usage["total_input_tokens"], usage["total_cached_tokens"]) == (57, 0)
    assert (usage["total_output_tokens"], usage["total_thought_tokens"]) == (23, 5)
    assert usage["total_tokens"] == 85
    [call] = log(tmp_path)
    assert (call["input_tokens"], call["output_tokens"], call["reasoning_tokens"]) == (57, 28, 5)


def test_what_works_in_the_background_is_ready_when_it_is_fetched(
    stand: ThreadingHTTPServer, tmp_path: Path
) -> None:
    begun = json.loads(answer(stand, PATH, input="hi", background=True))
    assert begun["status"] == "in_progress"
    assert "usage" not in begun
    ready = json.loads(answer(stand, f"{PATH}/{begun['id']}?stream=false"))
    assert (ready["status"], ready["usage"]["total_tokens"]) == ("completed", 85)
    assert len(log(tmp_path)) == 1


def test_a_stream_tells_its_usage_at_the_end(stand: ThreadingHTTPServer) -> None:
    text = answer(stand, PATH, input="hi", stream=True)
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    words = [event["delta"]["text"] for event in events if event["event_type"] == "step.delta"]
    assert "".join(words) == "Answer 1: about 'hi', here is what I found."
    assert "usage" not in events[0]["interaction"]
    assert events[-1]["interaction"]["usage"]["total_tokens"] == 85
