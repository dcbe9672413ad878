"""`spanloom conventions check` and `spanloom explain`, without servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.captures_truth import CAPTURES
from tests.commands.test_cli import spanloom
from tests.spans.reading.otlp_examples import otlp_json_bytes, request, span

CHECK = ("conventions", "check")


def written(folder: Path, content: str) -> str:
    path = folder / "keys.toml"
    path.write_text(content)
    return str(path)


def test_a_file_without_mistakes_is_told_in_words(tmp_path: Path) -> None:
    keys = written(
        tmp_path,
        '[[key]]\nname = "acme.chat"\nfield = "session_id"\n'
        '[[key]]\nname = "acme.use"\nfield = "input_tokens"\nat = ["a.b", "c"]\nplace = "behind"\n'
        '[[key]]\nname = "thread_id"\nfield = "session_id"\n',
    )
    done = spanloom(*CHECK, keys)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "3 keys of your own, all valid:",
        "  session_id: acme.chat, before the built-in keys; stored as number 55219",
        "  input_tokens: acme.use, in its JSON at a.b or else at c, after the built-in keys",
        "  session_id: thread_id, moved before the other built-in keys",
    ]


def test_every_mistake_is_told(tmp_path: Path) -> None:
    keys = written(tmp_path, '[[key]]\nname = "a"\nfield = "modle"\n[[key]]\nfield = "model"\n')
    done = spanloom(*CHECK, keys)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{keys}, key 1 (a): there is no field `modle`: did you mean model?",
        f"{keys}, key 2: `name` is missing: add it",
    ]


@pytest.mark.parametrize("command", [("worker",), ("up",), ("explain", str(CAPTURES / "py-oi"))])
def test_a_wrong_file_stops_the_start(tmp_path: Path, command: tuple[str, ...]) -> None:
    keys = written(tmp_path, '[[key]]\nname = "a"\nfield = "modle"\n')
    done = spanloom(*command, SPANLOOM_WORKER__CONVENTIONS_FILE=keys)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"SPANLOOM_WORKER__CONVENTIONS_FILE: {keys}, key 1 (a): there is no field `modle`: did you mean model?\n"
    )


def test_a_recording_is_explained() -> None:
    done = spanloom("explain", str(CAPTURES / "py-oi"), "--trace", "B147")
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    assert [line for line in text.splitlines() if line.startswith("trace ")] == [
        "trace b147f1fa5f7c8751ace1f0091228f29c  agent"
    ]
    for line in (
        "session_id  oi-s1  ← session.id on agent (f2184cd5b6b5378c)",
        "input  What is OpenInference?  ← the user's last message in ChatCompletion (4f97bb238b626537)",
        "LLM calls: 1, tokens: 127 in, 53 out, $0.000050",
        "input_tokens  127  ← llm.token_count.prompt",
        "tokens  127 in, 53 out (cache read 16, reasoning 4)  ← the total is input and output, so the parts",
        "cost  $0.000050  ← its tokens by the price of gpt-4o-mini-2024-07-18",
        "in its trace  its tokens count",
    ):
        assert line in text


def test_own_keys_can_be_tried(tmp_path: Path) -> None:
    keys = written(tmp_path, '[[key]]\nname = "acme.chat"\nfield = "session_id"\n')
    spans = tmp_path / "spans.json"
    spans.write_bytes(otlp_json_bytes(request(span({"acme.chat": "mine", "session.id": "theirs"}))))
    assert "session_id  theirs  ← session.id on step" in spanloom("explain", str(spans)).stdout
    for done in (
        spanloom("explain", str(spans), "--conventions", keys),
        spanloom("explain", str(spans), SPANLOOM_WORKER__CONVENTIONS_FILE=keys),
    ):
        assert "session_id  mine  ← acme.chat on step" in done.stdout
        assert "not session_id  theirs  ← session.id" in done.stdout


def test_standard_input_is_explained() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spanloom", "explain", "-"],
        input=request(span({"session.id": "piped"})),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "session_id  piped  ← session.id" in done.stdout.decode()


def test_what_can_not_be_read_is_told_beside_the_rest(tmp_path: Path) -> None:
    spans = tmp_path / "spans.pb"
    spans.write_bytes(request(span({"session.id": "s"}), span(span_id=b"short")))
    done = spanloom("explain", str(spans))
    assert done.returncode == 0
    assert "session_id  s  ← session.id" in done.stdout
    assert "The span has no valid span ID" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere.pb",), "nowhere.pb can't be read: No such file or directory\n"),
        ((str(CAPTURES / "py-oi"), "--trace", "ffff"), "there is no trace ffff in them\n"),
    ],
)
def test_nothing_to_explain(arguments: tuple[str, ...], sentence: str) -> None:
    done = spanloom("explain", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_what_a_sender_writes_can_not_move_the_cursor(tmp_path: Path) -> None:
    spans = tmp_path / "spans.pb"
    hostile = "a\x1b[2Jb\nc"
    attributes = dict.fromkeys(("session.id", "input.value", "openinference.span.kind", "user.id"), hostile)
    spans.write_bytes(request(span(attributes, name=hostile)))
    done = spanloom("explain", str(spans))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
