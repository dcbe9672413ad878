"""What a person said and what the assistant answered, in every form in which SDKs record it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.messages.events import event_messages
from spanloom.spans.messages.flattened import assemble
from spanloom.spans.messages.media import media_label
from spanloom.spans.messages.texts import assistant_text, message_value, user_text
from tests.spans.reading.otlp_examples import LIMITS, event, row, row_of, span

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

USER: list[tuple[str, Any, str]] = [
    ("content as text", [{"role": "user", "content": "hi"}], "hi"),
    (
        "the last one",
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
        "c",
    ),
    ("human", [{"role": "human", "content": "hi"}], "hi"),
    ("parts of OpenTelemetry", [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}], "hi"),
    ("parts of the AI SDK", [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], "hi"),
    (
        "several parts",
        [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
        "a\nb",
    ),
    ("parts of Gemini", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, "hi"),
    ("input of the Responses API", {"model": "m", "input": "hi"}, "hi"),
    (
        "parts of the Responses API",
        [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "hi",
    ),
    ("a request", {"messages": [{"role": "user", "content": "hi"}], "model": "m"}, "hi"),
    ("a prompt", {"prompt": "hi"}, "hi"),
    ("a prompt of messages", {"system": "s", "messages": [{"role": "user", "content": "hi"}]}, "hi"),
    ("one message", {"role": "user", "content": "hi"}, "hi"),
    ("LangChain", [[{"type": "human", "content": "hi"}, {"type": "ai", "content": "no"}]], "hi"),
    (
        "LangChain serialized",
        [
            {
                "lc": 1,
                "type": "constructor",
                "id": ["langchain", "HumanMessage"],
                "kwargs": {"content": "hi", "type": "human"},
            }
        ],
        "hi",
    ),
    (
        "a tool's result is not what the user said",
        [
            {"role": "user", "parts": [{"type": "text", "content": "weather?"}]},
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "1", "result": "21C"}]},
        ],
        "weather?",
    ),
    (
        "a tool's result of Anthropic",
        [
            {"role": "user", "content": "weather?"},
            {"role": "user", "content": [{"type": "tool_result", "content": "21C"}]},
        ],
        "weather?",
    ),
    (
        "an image",
        [{"role": "user", "content": [{"type": "text", "text": "what?"}, IMAGE]}],
        "what?\n[image: image/png]",
    ),
    ("an image alone", [{"role": "user", "content": [IMAGE]}], "[image: image/png]"),
    ("no user", [{"role": "system", "content": "s"}], ""),
    ("an empty text", [{"role": "user", "content": ""}], ""),
    ("no content", [{"role": "user", "content": None}], ""),
    ("a role in capitals", [{"role": "USER", "message": "no", "content": "hi"}], "hi"),
    (
        "what a tool was asked is not what the user said",
        [{"role": "user", "content": "hi"}, {"type": "custom_tool_call", "name": "f", "input": "ls"}],
        "hi",
    ),
    (
        "items of the Responses API",
        [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"},
            {"type": "function_call_output", "call_id": "1", "output": "21C"},
        ],
        "hi",
    ),
    ("LangChain as pairs", {"messages": [["system", "no"], ["human", "hi"], ["ai", "no"]]}, "hi"),
    ("LangChain as dicts", [{"type": "human", "data": {"content": "hi", "type": "human"}}], "hi"),
    ("OpenAI's Assistants", [{"role": "user", "content": [{"type": "text", "text": {"value": "hi"}}]}], "hi"),
    ("a pair that is none", ["hello", "there"], ""),
    ("Bedrock", {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, "hi"),
    ("chat of Cohere", {"message": "hi", "chat_history": [{"role": "USER", "message": "no"}]}, "hi"),
    ("a text in a text part in a part", [{"role": "user", "content": {"content": [{"text": "hi"}]}}], "hi"),
    ("a family and a flag", [{"role": "user", "content": "👨‍👩‍👧‍👦🏳️‍🌈"}], "👨‍👩‍👧‍👦🏳️‍🌈"),
    (
        "controls and overrides",
        [{"role": "user", "content": "\u202eabc\u2066\x00\x1b[0m\x7f\u0085\ufeff"}],
        "\u202eabc\u2066\x00\x1b[0m\x7f\u0085\ufeff",
    ),
    ("arguments of a function", {"args": ["hi"], "kwargs": {}}, ""),
    ("a plain text", "hi", ""),
    ("a number", 5, ""),
    ("nothing", [], ""),
    ("emoji and right-to-left", [{"role": "user", "content": "שלום 🙏\u0000"}], "שלום 🙏\u0000"),
]


@pytest.mark.parametrize(("value", "text"), [pytest.param(v, s, id=name) for name, v, s in USER])
def test_what_the_user_said(value: Any, text: str) -> None:
    assert user_text(value) == text


ASSISTANT: list[tuple[str, Any, str]] = [
    ("a plain text", "hello", "hello"),
    ("a message", {"role": "assistant", "content": "hello"}, "hello"),
    (
        "parts",
        [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}], "finish_reason": "stop"}],
        "hello",
    ),
    (
        "choices of Laminar",
        [{"finish_reason": "stop", "index": 0, "message": {"content": "hello", "role": "assistant"}}],
        "hello",
    ),
    (
        "choices of OpenAI",
        {"id": "x", "choices": [{"message": {"role": "assistant", "content": "hello"}}]},
        "hello",
    ),
    (
        "the first choice",
        {"choices": [{"message": {"content": "one"}}, {"message": {"content": "two"}}]},
        "one",
    ),
    ("choices of completions", {"choices": [{"text": "hello", "index": 0}]}, "hello"),
    ("an unknown role", [{"role": "unknown", "content": "hello"}], "hello"),
    ("model", {"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}]}, "hello"),
    (
        "the Responses API",
        {
            "output": [
                {"type": "reasoning", "summary": []},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "hello"}],
                },
            ]
        },
        "hello",
    ),
    ("generations of LangChain", {"generations": [[{"text": "hello", "type": "ChatGeneration"}]]}, "hello"),
    (
        "a tool call",
        [{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": "{}"}]}],
        "",
    ),
    ("tool calls", {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}, ""),
    (
        "text before a tool call",
        [{"role": "assistant", "content": [{"type": "text", "text": "let me see"}, {"type": "tool-call"}]}],
        "let me see",
    ),
    (
        "reasoning is no answer",
        [
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"}],
            }
        ],
        "hello",
    ),
    ("a refusal", [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}], "no"),
    (
        "an answer in sound",
        {"choices": [{"message": {"role": "assistant", "content": None, "audio": {"transcript": "hello"}}}]},
        "hello",
    ),
    ("a refusal beside the content", {"role": "assistant", "content": None, "refusal": "no"}, "no"),
    ("a tool's result", [{"type": "function_call_output", "call_id": "1", "output": "21C"}], ""),
    (
        "blocks of Anthropic",
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "hello"},
                {"type": "tool_use", "id": "1", "name": "f", "input": {"text": "no"}},
            ],
        },
        "hello",
    ),
    ("a generated image", [{"role": "assistant", "content": [IMAGE]}], "[image: image/png]"),
    ("an empty answer", [{"role": "assistant", "content": ""}], ""),
    ("an object", {"answer": 42}, ""),
    ("the user's words", [{"role": "user", "content": "hi"}], ""),
    (
        "the last of a whole history",
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        "b",
    ),
]


@pytest.mark.parametrize(("value", "answer"), [pytest.param(v, s, id=name) for name, v, s in ASSISTANT])
def test_what_the_assistant_answered(value: Any, answer: str) -> None:
    assert assistant_text(value) == answer


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("[1,", "[1,"),
        ('{"a":1}', {"a": 1}),
        (' {"a":1}', {"a": 1}),
        ('"quoted"', "quoted"),
        ("42", "42"),
        ("[" * 5000, "[" * 5000),
        ("[" + "9" * 5000 + "]", None),
        ('{"a":NaN}', None),
    ],
)
def test_json_that_does_not_parse_is_text(text: str, value: Any) -> None:
    found = message_value(text)
    assert value is None or found == value


def test_lone_surrogates_in_json_become_replacement_characters() -> None:
    found = row(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": '[{"role":"user","content":"\\ud83d\\ude4f \\ud800"}]',
            "metadata": '{"a\\udfff": "\\ud800"}',
            "tag.tags": '["\\ud800"]',
        }
    )
    assert found["input_preview"] == "🙏 �"
    assert found["metadata"] == {"a�": "�"}
    assert found["tags"] == ["�"]


MEDIA: list[tuple[dict[str, Any], str]] = [
    (IMAGE, "[image: image/png]"),
    ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, "[image]"),
    ({"type": "input_image", "image_url": "data:image/jpeg;base64,AA"}, "[image: image/jpeg]"),
    ({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}, "[audio: audio/wav]"),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "AA"}},
        "[image: image/webp]",
    ),
    ({"type": "document", "source": {"type": "url", "url": "u"}}, "[file]"),
    ({"type": "file", "mediaType": "application/pdf", "data": "AA"}, "[file: application/pdf]"),
    ({"type": "file", "mediaType": "image/png", "data": "AA"}, "[image: image/png]"),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}},
        "[file: application/pdf]",
    ),
    ({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA"}, "[image: image/png]"),
    ({"type": "uri", "modality": "video", "uri": "gs://b"}, "[video]"),
    ({"inline_data": {"mime_type": "image/png", "data": "AA"}}, "[image: image/png]"),
    ({"image": {"format": "png", "source": {"bytes": "AA"}}}, "[image: image/png]"),
    ({"video": {"format": "mp4", "source": {"bytes": "AA"}}}, "[video: video/mp4]"),
    ({"document": {"format": "pdf", "name": "a"}}, "[file]"),
    (
        {"type": "image", "source_type": "base64", "mime_type": "image/gif", "data": "AA"},
        "[image: image/gif]",
    ),
    (
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
        "[file: application/pdf]",
    ),
    ({"type": "image", "mime_type": "image/png]\n[evil"}, "[image]"),
    ({"type": "image", "mime_type": 5, "image": {"0": 137}}, "[image]"),
    ({"type": "file", "modality": "audio", "file_id": "f"}, "[audio]"),
    ({"type": "tool_call", "name": "f"}, ""),
    ({"type": "thinking", "thinking": "hm"}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("part", "label"), MEDIA, ids=lambda value: str(value)[:40])
def test_media_stand_for_themselves(part: dict[str, Any], label: str) -> None:
    assert media_label(part) == label


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([{"text": "Ber"}, {"text": "lin"}], "Berlin"),
        ([{"text": "Ber"}, {"functionCall": {"name": "f"}}, {"text": "lin"}], "Ber\nlin"),
        ([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
    ],
)
def test_pieces_of_an_answer_are_one_text(parts: list[dict[str, Any]], expected: str) -> None:
    assert assistant_text([{"role": "model", "content": parts}]) == expected
    # A person's parts stay apart.
    asked = user_text([{"role": "user", "content": parts}])
    assert asked == "\n".join(part["text"] for part in parts if "text" in part)


class TestFlattened:
    def test_openinference(self) -> None:
        found = row(
            {
                "openinference.span.kind": "LLM",
                "llm.input_messages.10.message.role": "user",
                "llm.input_messages.10.message.content": "last",
                "llm.input_messages.2.message.role": "user",
                "llm.input_messages.2.message.content": "earlier",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.contents.0.message_content.type": "text",
                "llm.output_messages.0.message.contents.0.message_content.text": "one",
                "llm.output_messages.0.message.contents.1.message_content.type": "text",
                "llm.output_messages.0.message.contents.1.message_content.text": "two",
                "llm.output_messages.0.message.tool_calls.0.tool_call.id": "1",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
            }
        )
        assert (found["input_preview"], found["output_preview"]) == ("last", "one\ntwo")
        assert json.loads(found["input"]) == [
            {"role": "user", "content": "earlier"},
            {"role": "user", "content": "last"},
        ]
        assert json.loads(found["output"])[0]["tool_calls"] == [{"id": "1", "name": "f", "arguments": "{}"}]

    def test_images_of_openinference(self) -> None:
        flattened = [
            ("0.message.role", "user"),
            ("0.message.contents.0.message_content.text", "what?"),
            ("0.message.contents.1.message_content.type", "image"),
            ("0.message.contents.1.message_content.image.image.url", "data:image/png;base64,AA"),
        ]
        assert user_text(assemble(flattened)) == "what?\n[image: image/png]"

    def test_texts_in_a_list(self) -> None:
        flattened = [
            ("0.message.role", "assistant"),
            ("0.message.content.0", "one"),
            ("0.message.content.1", "two"),
        ]
        assert assistant_text(assemble(flattened)) == "onetwo"

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, "said"),
            ({"llm.output_messages.0.message.content": "answered"}, "answered"),
        ],
    )
    def test_roles_alone_are_no_messages(self, more: dict[str, str], expected: str) -> None:
        attributes = {"llm.output_messages.0.message.role": "assistant", "output.value": "said", **more}
        assert row({"openinference.span.kind": "LLM", **attributes})["output_preview"] == expected

    def test_openllmetry(self) -> None:
        found = row(
            {
                "llm.request.type": "chat",
                "gen_ai.prompt.0.role": "system",
                "gen_ai.prompt.0.content": "s",
                "gen_ai.prompt.1.role": "user",
                "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "what?"}, IMAGE]),
                "gen_ai.completion.0.role": "unknown",
                "gen_ai.completion.0.content": "hello",
                "gen_ai.completion.0.finish_reason": "stop",
            }
        )
        assert (found["input_preview"], found["output_preview"]) == ("what?\n[image: image/png]", "hello")

    def test_a_pure_tool_call_has_no_text(self) -> None:
        found = row(
            {
                "llm.request.type": "chat",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.tool_calls.0.name": "f",
                "gen_ai.completion.0.tool_calls.0.arguments": "{}",
            },
            parent_span_id=b"parent!!",
        )
        assert (found["output_preview"], found["marks"]) == ("", 0)
        assert json.loads(found["output"])[0]["tool_calls"] == [{"name": "f", "arguments": "{}"}]

    @pytest.mark.parametrize(
        "rest", ["", "x", "0", "0.", "99999999.role", "-1.role", "0.message.other.thing"]
    )
    def test_keys_that_are_no_message(self, rest: str) -> None:
        assert assemble([(rest, "x")]) == []

    def test_content_that_looks_like_json_is_text(self) -> None:
        assert assemble([("0.content", '[{"a": 1'), ("0.role", "user")])[0]["content"] == '[{"a": 1'


class TestEvents:
    def test_whole_messages_in_one_event(self) -> None:
        attributes = {
            "gen_ai.input.messages": '[{"role":"user","content":"hi"}]',
            "gen_ai.output.messages": "plain",
        }
        given, answered = event_messages([("gen_ai.client.inference.operation.details", attributes)])
        assert (user_text(given), assistant_text(answered)) == ("hi", "plain")

    def test_prompt_and_completion(self) -> None:
        given, answered = event_messages(
            [
                ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role":"user","content":"hi"}]'}),
                (
                    "gen_ai.content.completion",
                    {"gen_ai.completion": '[{"role":"assistant","content":"hello"}]'},
                ),
            ]
        )
        assert (user_text(given), assistant_text(answered)) == ("hi", "hello")

    @pytest.mark.parametrize(
        "attributes",
        [
            {"content": "hello"},
            {"message": '{"content":"hello"}'},
            {"message": "hello"},
            {"body": '{"index":0,"message":{"role":"assistant","content":"hello"}}'},
        ],
    )
    def test_choices(self, attributes: dict[str, str]) -> None:
        assert assistant_text(event_messages([("gen_ai.choice", attributes)])[1]) == "hello"

    @pytest.mark.parametrize("size", [10, 100_000])
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("gen_ai.client.inference.operation.details", "gen_ai.input.messages"),
            ("gen_ai.content.prompt", "gen_ai.prompt"),
            ("gen_ai.user.message", "content"),
        ],
    )
    def test_long_messages_are_read_whole_though_the_event_keeps_their_beginning(
        self, name: str, key: str, size: int
    ) -> None:
        sent: Any = "last " + "x" * size
        if key != "content":
            sent = json.dumps([{"role": "user", "content": "earlier"}, {"role": "user", "content": sent}])
        found = row_of(span({"gen_ai.operation.name": "chat"}, events=[event(name, {key: sent})]))
        assert found["input_preview"][:6] == "last x"
        assert len(found["input"]) > size
        [(_, kept)] = found["events"][0]["attributes"]
        assert kept == sent[: LIMITS.value]

    def test_other_events_carry_none(self) -> None:
        assert event_messages([("exception", {"message": "x"})]) == (None, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.text(max_size=3)
            | st.sampled_from(
                ["role", "content", "parts", "type", "text", "choices", "message", "messages", "kwargs", "id"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(json_values)
def test_any_value_gives_texts(value: Any) -> None:
    assert isinstance(user_text(value), str)
    assert isinstance(assistant_text(value), str)


def test_a_long_history_is_read_once() -> None:
    history = [{"role": "user", "content": f"message {i} " + "x" * 1000} for i in range(900)]
    found = row({"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(history)})
    assert found["input_preview"].startswith("message 899")
    assert json.loads(found["input"]) == history
