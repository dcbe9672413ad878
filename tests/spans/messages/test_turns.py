"""The forms in which SDKs and providers write messages: the turns of each, and the text that a preview takes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations_with_replacement
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.messages import turns
from spanloom.spans.messages.finding import conversation, newest_first
from spanloom.spans.messages.parts import Call, Media, Other, Part, Reasoning, Result
from spanloom.spans.messages.texts import assistant_text, user_text
from spanloom.spans.messages.turns import Side

PNG = "iVBORw0KGgo="

TEXTS = {"user": user_text, "assistant": assistant_text}

FORMS: dict[str, tuple[Side, Any, list[tuple[str, list[Any]]], str]] = {
    "OpenAI": (
        "user",
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
            ("system", ["be brief"]),
            ("user", ["hi"]),
            ("assistant", [("call", "f", {"a": 1}, "c1")]),
            ("tool", [("result", "", [1, 2], "c1")]),
        ],
        "hi",
    ),
    "OpenAI's choices": (
        "assistant",
        {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}}]},
        [("assistant", ["yes"])],
        "yes",
    ),
    "Laminar's choices": (
        "assistant",
        [
            {
                "finish_reason": "stop",
                "index": 0,
                "message": {"role": "assistant", "content": "yes", "refusal": None},
            }
        ],
        [("assistant", ["yes"])],
        "yes",
    ),
    "OpenTelemetry": (
        "user",
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
            ("assistant", [("reasoning", "hm"), "I look", ("call", "w", {"city": "Berlin"}, "1")]),
            ("tool", [("result", "", "21C", "1")]),
            ("user", [("media", "[image: image/png]", "")]),
        ],
        "[image: image/png]",
    ),
    "Anthropic": (
        "user",
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
            ("system", ["be kind"]),
            ("user", [("media", "[image: image/png]", "")]),
            ("assistant", [("reasoning", "hm"), ("call", "n", {}, "t")]),
            ("user", [("result", "", "done", "t")]),
        ],
        "[image: image/png]",
    ),
    "Gemini": (
        "user",
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
            ("system", ["be quick"]),
            ("user", ["hi", ("media", "[video: video/mp4]", "")]),
            ("assistant", [("call", "f", {"x": 1})]),
            ("tool", [("result", "f", {"y": 2})]),
        ],
        "hi\n[video: video/mp4]",
    ),
    "the AI SDK": (
        "user",
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
            ("assistant", [("call", "w", {"q": 1}, "c")]),
            ("tool", [("result", "w", {"type": "json", "value": 3}, "c")]),
        ],
        "",
    ),
    "the AI SDK's prompt": (
        "user",
        {"system": "s", "prompt": "hello"},
        [("system", ["s"]), ("user", ["hello"])],
        "hello",
    ),
    "OpenAI's responses": (
        "assistant",
        [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "ok"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
        ],
        [
            ("assistant", [("reasoning", "so")]),
            ("assistant", [("call", "f", {}, "c")]),
            ("tool", [("result", "", "ok", "c")]),
            ("assistant", ["done"]),
        ],
        "done",
    ),
    "LangChain": (
        "user",
        [
            [
                {"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "hi"}},
                {"type": "ai", "content": "ho"},
            ]
        ],
        [("user", ["hi"]), ("assistant", ["ho"])],
        "hi",
    ),
    "pictures by address": (
        "user",
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "https://p.example/1.png"}},
                    {"type": "hologram"},
                ],
            }
        ],
        [("user", [("media", "[image]", ""), ("other", {"type": "hologram"})])],
        "[image]",
    ),
    "a refusal": (
        "assistant",
        [{"role": "assistant", "content": None, "refusal": "no"}],
        [("assistant", ["no"])],
        "no",
    ),
    "OpenAI's completions": (
        "assistant",
        {"choices": [{"text": "yes", "index": 0}]},
        [("assistant", ["yes"])],
        "yes",
    ),
    "OpenAI's several choices": (
        "assistant",
        {
            "choices": [
                {"index": 0, "message": {"content": "one"}},
                {"index": 1, "message": {"content": "two"}},
            ]
        },
        [("assistant", ["one"]), ("assistant", ["two"])],
        "one",
    ),
    "OpenAI's answer in sound": (
        "assistant",
        [{"role": "assistant", "content": None, "audio": {"data": "AAAA", "transcript": "yes"}}],
        [("assistant", [("media", "[audio]", "yes")])],
        "yes",
    ),
    "OpenAI's answer in sound without its words": (
        "assistant",
        [{"role": "assistant", "content": None, "audio": {"data": "AAAA"}}],
        [("assistant", [("media", "[audio]", "")])],
        "[audio]",
    ),
    "OpenAI's assistants": (
        "user",
        [{"role": "user", "content": [{"type": "text", "text": {"value": "hi", "annotations": []}}]}],
        [("user", ["hi"])],
        "hi",
    ),
    "OpenAI's thoughts beside the content": (
        "assistant",
        [{"role": "assistant", "reasoning_content": "hm", "content": "yes"}],
        [("assistant", [("reasoning", "hm"), "yes"])],
        "yes",
    ),
    "OpenAI's responses: tools of other types": (
        "user",
        [
            {"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "a b"},
            {"type": "web_search_call", "status": "completed"},
        ],
        [
            ("assistant", [("call", "sh", "ls", "c")]),
            ("tool", [("result", "", "a b", "c")]),
            ("assistant", [("other", {"type": "web_search_call", "status": "completed"})]),
        ],
        "",
    ),
    "a call that stands in the content and beside it": (
        "assistant",
        [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}],
                "tool_calls": [{"id": "t", "name": "n", "args": {}}, {"id": "u", "name": "n", "args": {}}],
            }
        ],
        [("assistant", [("call", "n", {}, "t"), ("call", "n", {}, "u")])],
        "",
    ),
    "a refusal as a part": (
        "assistant",
        [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
        [("assistant", ["no"])],
        "no",
    ),
    "Gemini without roles": ("user", {"contents": [{"parts": [{"text": "hi"}]}]}, [("user", ["hi"])], "hi"),
    "Gemini's candidates": (
        "assistant",
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "yes"}]}, "finishReason": "STOP"}]},
        [("assistant", ["yes"])],
        "yes",
    ),
    "Gemini's thoughts": (
        "assistant",
        [{"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "yes"}]}],
        [("assistant", [("reasoning", "hm"), "yes"])],
        "yes",
    ),
    "a resource of MCP": (
        "user",
        [{"role": "user", "content": [{"uri": "file:///a", "mimeType": "text/plain", "text": "hi"}]}],
        [("user", ["hi"])],
        "hi",
    ),
    "LangChain as dicts": (
        "user",
        [{"type": "human", "data": {"content": "hi", "type": "human"}}],
        [("user", ["hi"])],
        "hi",
    ),
    "LangChain as pairs": (
        "user",
        {"messages": [["system", "be brief"], ["human", "hi"]]},
        [("system", ["be brief"]), ("user", ["hi"])],
        "hi",
    ),
    "LangChain's generations": (
        "assistant",
        {"generations": [[{"text": "yes", "type": "ChatGeneration"}]]},
        [("assistant", ["yes"])],
        "yes",
    ),
    "an empty text": (
        "user",
        [{"role": "user", "content": [{"type": "text", "text": ""}]}],
        [("user", [])],
        "",
    ),
    "an empty list before the prompt": ("user", {"messages": [], "prompt": "hi"}, [("user", ["hi"])], "hi"),
}
"""Side, value, turns (role and parts, as `read` writes them), text."""


def read(part: Part) -> Any:
    """A part as a value, all of it read."""
    match part:
        case str():
            return part
        case Reasoning():
            return ("reasoning", part.text)
        case Call():
            return ("call", part.name, part.arguments, *filter(None, [part.call_id]))
        case Result():
            return ("result", part.name, part.content, *filter(None, [part.call_id]))
        case Media():
            return ("media", part.label, part.words)
        case Other(sent):
            return ("other", sent)


@pytest.mark.parametrize("name", FORMS)
def test_messages_are_turns_of_which_a_preview_takes_the_text(name: str) -> None:
    side, value, expected, text = FORMS[name]
    turns = conversation(value, side)
    assert turns is not None
    assert [(turn.role, list(map(read, turn.parts))) for turn in turns] == expected
    assert TEXTS[side](value) == text


MAYBE: dict[str, tuple[Side, Any, str]] = {
    "one of a program's inputs": ("user", {"input": "hi", "context": "c"}, "hi"),
    "a text under a message": ("user", {"message": "hi"}, "hi"),
    "a content alone": ("user", {"content": "hi", "id": 1}, "hi"),
    "a number beside messages": ("user", [{"role": "user", "content": "hi"}, 3], "hi"),
    "a document": ("assistant", [{"doc": "kb-1", "text": "Refunds take 5 days"}], "Refunds take 5 days"),
    "an answer beside its input": (
        "assistant",
        {"input": [{"role": "user", "content": "hi"}], "answer": "yes"},
        "",
    ),
    "choices in an input": ("user", {"choices": [{"message": {"role": "assistant", "content": "no"}}]}, ""),
    "thoughts without a summary": ("assistant", {"type": "reasoning", "content": "hm"}, ""),
}


@pytest.mark.parametrize("name", MAYBE)
def test_a_preview_takes_the_text_of_what_may_be_a_message_where_a_page_shows_all_of_it(name: str) -> None:
    side, value, text = MAYBE[name]
    assert conversation(value, side) is None
    assert TEXTS[side](value) == text


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
        {"lc": 1, "type": "constructor", "id": ["x", "PromptValue"], "kwargs": {"text": "x"}},
        {"input": "x"},
        [{"doc": "kb-1", "text": "Refunds take 5 days"}],
    ],
    ids=str,
)
def test_what_is_no_conversation_is_none(value: Any) -> None:
    assert conversation(value, "user") is None


@pytest.mark.parametrize(
    ("value", "finish"),
    [
        ([{"role": "assistant", "content": "x", "finish_reason": "length"}], "length"),
        (
            [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "x"}}],
            "length",
        ),
        ([{"finish_reason": "length", "message": {"type": "ai", "content": "x"}}], "length"),
        ({"candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": "x"}]}}]}, "STOP"),
        ({"choices": [{"finish_reason": "stop", "text": "x"}]}, "stop"),
        ([{"role": "assistant", "content": "x"}], ""),
    ],
)
def test_why_a_turn_ended_stands_in_the_message_or_around_it(value: Any, finish: str) -> None:
    turns = conversation(value, "assistant")
    assert turns is not None
    assert [turn.finish for turn in turns] == [finish]


def test_of_a_long_history_only_the_end_is_read() -> None:
    class Untouched(dict[str, object]):
        def get(self, *_: object) -> Any:
            raise AssertionError("read")

    assert user_text([Untouched(role="user")] * 3 + [{"role": "user", "content": "hi"}]) == "hi"


def test_of_many_parts_only_as_many_are_read_as_are_wanted() -> None:
    class Parts(list[object]):
        def __iter__(self) -> Any:
            yield from ("abc", "def")
            raise AssertionError("read")

    assert user_text([{"role": "user", "content": Parts(["x"])}], 5) == "abc\nd"


MEMBERS = (
    "role", "content", "parts", "type", "text", "message", "messages", "choices", "kwargs", "id", "data", "input",
    "output", "prompt", "contents", "candidates", "system", "refusal", "audio", "thought", "tool_calls", "function",
    "function_call", "functionCall", "functionResponse", "image", "image_url", "summary", "finish_reason", "index",
)  # fmt: skip
KINDS = (
    "text", "image_url", "tool_use", "tool_result", "function_call_output", "reasoning", "message", "human", "refusal",
    "constructor",
)  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)
        | st.fixed_dictionaries({"role": st.sampled_from(("user", "assistant", "tool")), "content": inner})
        | st.fixed_dictionaries({"type": st.sampled_from(KINDS)}, optional={"content": inner, "text": inner})
    ),
    max_leaves=20,
)


def texts(parts: Iterable[Part]) -> str:
    """The text parts in one, and media by their words or labels."""
    shown = [
        part if isinstance(part, str) else part.words or part.label
        for part in parts
        if isinstance(part, str | Media)
    ]
    return "\n".join(shown)


@given(json_values, st.sampled_from(("user", "assistant")), st.integers(1, 30))
def test_the_text_of_any_value_is_that_of_one_of_its_turns(value: Any, side: Side, longest: int) -> None:
    text = TEXTS[side](value)
    of_turns = [texts(turn.parts) for turn in newest_first(value, side) if turn is not None]
    assert text in ("", *of_turns) or text == value
    assert TEXTS[side](value, longest) == text[:longest]


@given(json_values, st.sampled_from(("user", "assistant")))
def test_a_conversation_has_all_turns_of_its_value(value: Any, side: Side) -> None:
    turns = conversation(value, side)
    found = list(newest_first(value, side))
    if turns is None:
        assert not found or any(turn is None or not turn.certain for turn in found)
    else:
        assert len(found) == len(turns)
        assert all(turn in turns for turn in found)


@given(json_values, st.sampled_from(("user", "assistant")))
def test_every_part_of_any_value_can_be_read(value: Any, side: Side) -> None:
    for turn in newest_first(value, side):
        if turn is not None:
            assert isinstance(turn.name + turn.finish, str)
            assert all(read(part) != "" for part in turn.parts)


_MEMBERS = [
    (name, value)
    for name in (
        *("role", "content", "parts", "message", "index", "kwargs", "id", "data", "type", "summary", "text"),
        "question",
    )
    for value in (
        "user",
        "function_call",
        "reasoning",
        {"content": "hi"},
        {"parts": ["hi"]},
        ["HumanMessage"],
    )
]


@pytest.mark.parametrize("side", ["user", "assistant"])
def test_an_object_that_no_form_knows_is_given_up_early_and_no_other(side: Side) -> None:
    for members in combinations_with_replacement(_MEMBERS, 2):
        value = dict(members)
        tried = next((turn for form in turns.FORMS if (turn := form(value, side)) is not None), None)
        assert turns.turn_of(value, side) == tried
