"""What SDKs ask for beside traces is refused as docs/sending.md says, and the spans arrive all the same."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.cases import Case, case
from tests.clients.running import Stack, two_turns

pytestmark = [pytest.mark.clients, pytest.mark.stack]

# One dot, as an SDK for vision would pass it on.
_IMAGE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_WITH_IMAGE = {"input=question": f'input="{_IMAGE}"'}

_LANGFUSE_REST = """
try:
    langfuse.auth_check()
except Exception as error:
    print("auth_check raises", type(error).__name__)
print("the prompt is", langfuse.get_prompt("greeting", fallback="hello").prompt)
langfuse.create_score(name="good", value=1, trace_id="1" * 32)
langfuse.shutdown()
"""

_LAMINAR_TAG = """
import uuid
from lmnr import LaminarClient

LaminarClient(base_url="http://127.0.0.1", port=4318, project_api_key="any-key").tags.tag(uuid.uuid4(), "good")
Laminar.shutdown()
"""

_LAMINAR_LOG = """
from opentelemetry._logs import LogRecord, get_logger

get_logger("an instrumentation").emit(LogRecord(body="whatever"))
Laminar.shutdown()
"""


class Wish(NamedTuple):
    """A client that asks for more, and what its user reads then."""

    case: Case
    edits: Mapping[str, str]
    shown: tuple[str, ...]


WISHES = {
    "Traceloop, metrics": Wish(
        case("Traceloop, Python, HTTP"),
        {'os.environ["TRACELOOP_METRICS_ENABLED"] = "false"': "pass"},
        ("Failed to export metrics batch code: 404",),
    ),
    "Langfuse, scores, prompts and auth_check": Wish(
        case("Langfuse, Python, HTTP"),
        {"langfuse.shutdown()": _LANGFUSE_REST},
        ("auth_check raises ApiError", "the prompt is hello", "Internal error occurred"),
    ),
    "Langfuse, an image": Wish(case("Langfuse, Python, HTTP"), _WITH_IMAGE, ("Media upload error",)),
    "Laminar, a tag afterwards": Wish(
        case("Laminar, Python, HTTP"),
        {"Laminar.shutdown()": _LAMINAR_TAG},
        ("not found. The trace may have not been ended yet.",),
    ),
    "Laminar, log records": Wish(
        case("Laminar, Python, HTTP"),
        {"Laminar.shutdown()": _LAMINAR_LOG},
        ("Failed to export logs batch code: 404",),
    ),
}


def send(wish: Wish, stack: Stack, folder: Path, **environment: str) -> tuple[str, str]:
    """Run the client; return its session and what it has printed."""
    session = f"session-{uuid.uuid4().hex}"
    ran = stack.receiver.run(wish.case, session, folder, edits=wish.edits, environment=environment)
    assert ran.code == 0, ran.output
    return session, ran.output


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_it_is_refused_with_a_line_in_the_log_and_the_spans_arrive(
    wish: Wish, stack: Stack, tmp_path: Path
) -> None:
    session, output = send(wish, stack, tmp_path)
    assert [shown for shown in wish.shown if shown not in output] == [], output
    stack.wait_for_session(session, two_turns(wish.case))


def test_langfuse_keeps_an_image_in_the_span_when_told_so(stack: Stack, tmp_path: Path) -> None:
    wish = WISHES["Langfuse, an image"]
    session, output = send(wish, stack, tmp_path, LANGFUSE_MEDIA_UPLOAD_ENABLED="false")
    assert "rror" not in output, output
    stack.wait_for_session(session, two_turns(wish.case))
    question = "SELECT DISTINCT input FROM spans WHERE span_type = 'LLM' AND session_id = {session:String}"
    assert stack.ask(question, session) == [{"input": _IMAGE}]


def test_traceloop_over_grpc_with_an_api_key_sends_nothing_and_says_so(stack: Stack, tmp_path: Path) -> None:
    with_key = Case(
        "with a key", "traceloop_python.py", "grpc", {"http://127.0.0.1:4318": "grpc://127.0.0.1:4317"}
    )
    session, output = send(Wish(with_key, {}, ()), stack, tmp_path)
    assert "Illegal header key" in output
    assert "Failed to export traces" in output
    assert stack.session(session) == []
