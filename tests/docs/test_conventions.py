"""docs/conventions.md: each example of keys of one's own is a file that workers take, and reads what the text says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from spanloom.commands.serving.conventions_file import read_vocabulary
from spanloom.spans.conventions.own_entries import MEMBERS
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.docs.generated import ROOT
from tests.spans.reading.otlp_examples import LIMITS, PRICES, request, rows, span

_PAGE = (ROOT / "docs" / "conventions.md").read_text()
_EXAMPLES = re.findall(r"```toml\n(.*?)```", _PAGE, re.DOTALL)

_ANTHROPIC = json.dumps({"input_tokens": 20, "cache_read_input_tokens": 100, "totals": {"output": 5}})


@pytest.mark.parametrize(
    ("example", "sent", "expected"),
    [
        (
            0,
            {
                "acme.conversation": "c1",
                "langfuse.session.id": "l1",
                "acme.employee": "ada",
                "acme.label.team": "search",
            },
            {"session_id": "c1", "user_id": "ada", "metadata": {"team": "search"}},
        ),
        (
            1,
            {"acme.usage": _ANTHROPIC, "acme.step": "ask", "acme.engine": "claude-sonnet-4-5"},
            {
                "input_tokens": 120,
                "cache_read_tokens": 100,
                "output_tokens": 5,
                "span_type": "LLM",
                "model": "claude-sonnet-4-5",
                "priced": 1,
            },
        ),
        (1, {"acme.step": "lookup"}, {"span_type": "TOOL", "input_tokens": 0}),
        (
            2,
            {
                "gen_ai.conversation.id": "made up",
                "thread_id": "t1",
                "http.request.header.x-request-id": "r1",
                "acme.first_token": 300,
            },
            {"session_id": "t1", "time_to_first_token": 0.3},
        ),
        (
            2,
            {"gen_ai.conversation.id": "made up", "http.request.header.x-request-id": "r1"},
            {"session_id": "made up"},
        ),
        (2, {"http.request.header.x-request-id": "r1"}, {"session_id": "r1"}),
    ],
)
def test_an_example(tmp_path: Path, example: int, sent: dict[str, Any], expected: dict[str, Any]) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(_EXAMPLES[example])
    message = OtlpMessage(request(span(sent)))
    decoded = decode([message], limits=LIMITS, prices=PRICES, vocabulary=read_vocabulary(str(path)))
    [row] = rows(decoded)
    assert {name: row[name] for name in expected} == expected


def test_there_are_three_examples() -> None:
    assert len(_EXAMPLES) == 3


def test_every_member_is_named() -> None:
    table = _PAGE.partition("| member | meaning |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == MEMBERS
