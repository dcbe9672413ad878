"""The forms in which SDKs and providers write messages, as turns; what is no conversation is none."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.dashboard.rendering.turns import Call, Media, Other, Part, Result, Text, turns_of

PNG = "iVBORw0KGgo="

FORMS: dict[str, tuple[Any, list[tuple[str, list[Part]]]]] = {
    "OpenAI": (
        [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "[1, 2]"},
        ],
        [
            ("system", [Text("be brief")]),
            ("user", [Text("hi")]),
            ("assistant", [Call("f", {"a": 1}, "c1")]),
            ("tool", [Result("", [1, 2], "c1")]),
        ],
    ),
    "OpenAI's choices": (
        {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}}]},
        [("assistant", [Text("yes")])],
    ),
    "Laminar's choices": (
        [
            {
                "finish_reason": "stop",
                "index": 0,
                "message": {"role": "assistant", "content": "yes", "refusal": None},
            }
        ],
        [("assistant", [Text("yes")])],
    ),
    "OpenTelemetry": (
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "text", "content": "I look"},
                    {"type": "tool_call", "id": "1", "name": "w", "arguments": {"city": "Berlin"}},
                ],
                "finish_reason": "tool_call",
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "21C"}]},
            {"role": "user", "parts": [{"type": "blob", "mime_type": "image/png", "content": PNG}]},
        ],
        [
            ("assistant", [Text("hm", "reasoning"), Text("I look"), Call("w", {"city": "Berlin"}, "1")]),
            ("tool", [Result("", "21C", "1")]),
            ("user", [Media("[image: image/png]", "", f"data:image/png;base64,{PNG}", len(PNG))]),
        ],
    ),
    "Anthropic": (
        {
            "system": "be kind",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                        }
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm"},
                        {"type": "tool_use", "id": "t", "name": "n", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t",
                            "content": [{"type": "text", "text": "done"}],
                        }
                    ],
                },
            ],
        },
        [
            ("system", [Text("be kind")]),
            ("user", [Media("[image: image/png]", "", f"data:image/png;base64,{PNG}", len(PNG))]),
            ("assistant", [Text("hm", "reasoning"), Call("n", {}, "t")]),
            ("user", [Result("", "done", "t")]),
        ],
    ),
    "Gemini": (
        {
            "systemInstruction": {"parts": [{"text": "be quick"}]},
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"text": "hi"},
                        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://v.example/1"}},
                    ],
                },
                {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
                {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {"y": 2}}}]},
            ],
        },
        [
            ("system", [Text("be quick")]),
            ("user", [Text("hi"), Media("[video: video/mp4]", "https://v.example/1")]),
            ("assistant", [Call("f", {"x": 1})]),
            ("tool", [Result("f", {"y": 2})]),
        ],
    ),
    "the AI SDK": (
        [
            {
                "role": "assistant",
                "content": [{"type": "tool-call", "toolCallId": "c", "toolName": "w", "input": {"q": 1}}],
            },
            {
                "role": "tool",
                "content": [
                    {
                        "type": "tool-result",
                        "toolCallId": "c",
                        "toolName": "w",
                        "output": {"type": "json", "value": 3},
                    }
                ],
            },
        ],
        [
            ("assistant", [Call("w", {"q": 1}, "c")]),
            ("tool", [Result("w", {"type": "json", "value": 3}, "c")]),
        ],
    ),
    "the AI SDK's prompt": (
        {"system": "s", "prompt": "hello"},
        [("system", [Text("s")]), ("user", [Text("hello")])],
    ),
    "OpenAI's responses": (
        [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "ok"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
        ],
        [
            ("assistant", [Text("so", "reasoning")]),
            ("assistant", [Call("f", {}, "c")]),
            ("tool", [Result("", "ok", "c")]),
            ("assistant", [Text("done")]),
        ],
    ),
    "LangChain": (
        [
            [
                {"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "hi"}},
                {"type": "ai", "content": "ho"},
            ]
        ],
        [("user", [Text("hi")]), ("assistant", [Text("ho")])],
    ),
    "pictures by address": (
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "https://p.example/1.png"}},
                    {"type": "hologram"},
                ],
            }
        ],
        [("user", [Media("[image]", "https://p.example/1.png"), Other({"type": "hologram"})])],
    ),
    "a refusal": (
        [{"role": "assistant", "content": None, "refusal": "no"}],
        [("assistant", [Text("no")])],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_messages_are_turns(name: str) -> None:
    value, expected = FORMS[name]
    turns = turns_of(value, "assistant" if "choices" in name else "user")
    assert turns is not None
    assert [(turn.role, list(turn.parts)) for turn in turns] == expected


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": 1},
        [1, 2],
        [{"role": "user", "content": "x"}, 3],
        {"args": ["x"], "kwargs": {}},
        {"message": "a text"},
        {"role": "admin"},
        {"input": "x"},
        [{"doc": "kb-1", "text": "Refunds take 5 days"}],
    ],
    ids=str,
)
def test_what_is_no_conversation_is_none(value: Any) -> None:
    assert turns_of(value, "user") is None


@pytest.mark.parametrize(
    "url",
    [
        "data:image/svg+xml;base64,PHN2Zz4=",
        'data:image/png;base64,AA" onerror="x',
        "data:text/html;base64,AAAA",
        "javascript:x",
    ],
)
def test_only_a_picture_that_is_one_is_shown(url: str) -> None:
    turns = turns_of(
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}], "user"
    )
    assert turns is not None
    [part] = turns[0].parts
    assert isinstance(part, Media)
    assert (part.picture, part.url) == ("", "")
