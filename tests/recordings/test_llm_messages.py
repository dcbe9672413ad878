"""What the stand-in LLM server reads from messages, whatever the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recordings.llm_server.calls import Asked, Tool
from tests.recordings.llm_server.messages import text_of, tool_wanted


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
