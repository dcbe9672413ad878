"""`spanloom dead-letters` on a real broker, with letters that a real worker writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spanloom.agents.stages.dead_letters import dead_letter
from spanloom.kafka.topics import DEAD_LETTERS, PROJECT_HEADER, SPAN_FACTS
from tests.fixtures_local import wait_until
from tests.integration.installation import Installation
from tests.integration.otlp import llm, message, span

GARBAGE = b"\xff\x00 what somebody wrote"
PROJECT = (PROJECT_HEADER, b"shop")


def dead_letters(kafka: Installation, *arguments: str, code: int = 0) -> Any:
    """Run a command with --json; the JSON that it prints."""
    done = kafka.run("dead-letters", *arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def written(kafka: Installation, *letters: tuple[bytes, str, str], project: bytes | None = None) -> None:
    """Write letters as workers do: payload, reason and topic of each."""
    for offset, (payload, reason, topic) in enumerate(letters):
        record = dead_letter(payload, reason, topic, 3, offset, project)
        assert record.value is not None
        kafka.produce([record.value], topic=DEAD_LETTERS, headers=record.headers)


def test_a_letter_of_a_worker_is_listed_shown_and_replayed(
    installation: Installation, tmp_path: Path
) -> None:
    worker = installation.worker()
    good, bad = llm(1, 1, session__id="s"), span(b"", 2)
    installation.produce([GARBAGE], headers=[PROJECT])
    installation.produce([message(good, bad)])
    installation.produce([b"{}"], headers=[PROJECT])
    wait_until(lambda: len(dead_letters(installation, "list")) == 3, "three dead letters", 60)
    listed = dead_letters(installation, "list")
    assert {each["letter"] for each in listed} == {"0:0", "0:1", "0:2"}
    assert {each["project"] for each in listed} == {"shop", None}
    by_reason = {each["reason"]: each for each in listed}
    assert by_reason["The message is JSON, but it has no list `resourceSpans`."]["bytes"] == 2
    assert "somebody" not in json.dumps(listed)

    (garbage,) = dead_letters(installation, "list", "--reason", "not a PROTOBUF")
    assert (garbage["topic"], garbage["partition"], garbage["offset"]) == ("otlp_spans", 0, 0)
    shown = dead_letters(installation, "show", garbage["letter"])
    assert shown["headers"][PROJECT_HEADER] == "shop"
    assert shown["holds"] == "not OTLP"
    assert "somebody" not in json.dumps(shown)
    file = tmp_path / "payload"
    installation.spanloom("dead-letters", "show", garbage["letter"], "--payload", str(file))
    assert file.read_bytes() == GARBAGE
    assert file.stat().st_mode & 0o777 == 0o600
    assert "is there already" in installation.spanloom(
        "dead-letters", "show", garbage["letter"], "--payload", str(file), code=1
    )

    (alone,) = dead_letters(installation, "list", "--reason", "no valid trace ID")
    decoded = dead_letters(installation, "show", alone["letter"], "--decoded")
    assert decoded["holds"] == "OTLP as protobuf, 1 span"
    (inside,) = decoded["decoded"]["resources"]
    assert inside["resource"] == {"service.name": "shop"}
    assert [one["name"] for one in inside["spans"]] == ["span 2"]

    # Sent again, the same can't be read again; its letters are as many as were sent.
    assert dead_letters(installation, "replay", "--all")["sent"] == 3
    wait_until(lambda: len(dead_letters(installation, "list")) == 6, "the letters of those sent again", 60)
    (again,) = [
        each for each in dead_letters(installation, "list", "--reason", "not a protobuf") if each != garbage
    ]
    assert again["project"] == "shop"
    assert worker.running


def test_what_can_be_read_now_is_stored_once_however_often_it_is_replayed(installation: Installation) -> None:
    given = message(llm(1, 1, session__id="s"), llm(1, 2, session__id="s"))
    written(installation, (given, "An older version could not read it.", "otlp_spans"), project=b"shop")
    installation.worker()
    for _ in range(2):
        assert dead_letters(installation, "replay", "0:0")["sent"] == 1
    wait_until(lambda: installation.committed() == 2, "both to be read", 60)
    installation.wait_for(
        "SELECT project_id, session_id, span_count FROM sessions",
        [{"project_id": "shop", "session_id": "s", "span_count": 2}],
    )
    assert installation.sql("SELECT count() AS n FROM spans") == [{"n": 2}]


def test_what_can_not_be_replayed_is_skipped_with_a_reason(kafka_only: Installation) -> None:
    cut = message(span(1, 1, text="x" * 11_000_000))
    written(
        kafka_only,
        (cut, "It was cut.", "otlp_spans"),
        (b"garbage", "No record of ours.", SPAN_FACTS),
        (b"elsewhere", "From another topic.", "otlp_old"),
        (b"payload", "One.", "otlp_spans"),
        (b"payload", "The same.", "otlp_spans"),
    )
    kafka_only.produce([b"no headers"], topic=DEAD_LETTERS)
    before = len(kafka_only.consume("otlp_spans"))
    dry = dead_letters(kafka_only, "replay", "--all", "--dry-run")
    assert (dry["sent"], len(kafka_only.consume("otlp_spans"))) == (1, before)
    done = dead_letters(kafka_only, "replay", "--all")
    assert {**dry, "dry_run": False} == done
    reasons = sorted(each["reason"] for each in done["skipped"])
    assert [each["letters"] for each in done["skipped"]] == [1] * 5
    assert reasons[0] == "another one is the same"
    assert reasons[1].startswith("it came from otlp_old, which workers don't read")
    assert reasons[2].startswith(f"it came from {SPAN_FACTS}, which only workers write")
    assert reasons[3] == "no header says where it came from"
    assert reasons[4].startswith("only the first 10,475,760 of its bytes")
    (record,) = kafka_only.consume("otlp_spans")
    assert (record.value, list(record.headers)) == (b"payload", [])
    assert {each["cut_from_bytes"] for each in dead_letters(kafka_only, "list")} == {None, len(cut)}


def test_letters_are_chosen_by_reason_topic_project_time_and_place(kafka_only: Installation) -> None:
    written(kafka_only, (b"1", "First.", "otlp_spans"), (b"2", "Second.", "otlp_old"))
    written(kafka_only, (b"3", "First.", "otlp_spans"), project=b"shop")
    everything = dead_letters(kafka_only, "list")
    assert [each["letter"] for each in everything] == ["0:2", "0:1", "0:0"]

    def chosen(*arguments: str) -> list[str]:
        listed = [each["letter"] for each in dead_letters(kafka_only, "list", *arguments)]
        done = kafka_only.run("dead-letters", "replay", *arguments, "--dry-run")
        assert done.returncode == 0
        assert all(f"{letter} would be sent" in done.stderr for letter in listed)
        return listed

    assert chosen("--reason", "first") == ["0:2", "0:0"]
    assert chosen("--topic", "otlp_old") == ["0:1"]
    assert chosen("--project", "shop") == ["0:2"]
    assert chosen("--since", "1h", "--reason", "second", "--topic", "otlp_old") == ["0:1"]
    assert chosen("--until", everything[1]["written"], "--topic", "otlp_spans") == ["0:0"]
    assert chosen("--since", everything[0]["written"]) == ["0:2"]
    assert dead_letters(kafka_only, "list", "--limit", "2") == everything[:2]
    assert dead_letters(kafka_only, "list", "--until", "2026-01-01") == []


def test_many_letters_are_listed_the_newest_first(kafka_only: Installation) -> None:
    headers = [("reason", b"One of many."), ("topic", b"otlp_spans")]
    # The topic has one partition.
    for start in range(0, 520, 130):
        some = [b"%d" % number for number in range(start, start + 130)]
        kafka_only.produce(some, DEAD_LETTERS, headers, partitions=1)
    listed = dead_letters(kafka_only, "list", "--limit", "450")
    assert [each["letter"] for each in listed] == [f"0:{number}" for number in range(519, 69, -1)]
    assert dead_letters(kafka_only, "replay", "--all")["sent"] == 520
    assert sorted(int(record.value) for record in kafka_only.consume("otlp_spans")) == list(range(520))


def test_a_hostile_letter_moves_no_cursor(kafka_only: Installation) -> None:
    evil = b"\x1b[2J\x07\x9b31m\xe2\x80\xaeevil\r\n"
    headers = [
        ("reason", evil),
        ("topic", evil),
        (evil.decode(errors="replace"), evil),
        ("partition", b"9" * 5000),
    ]
    kafka_only.produce([b'{"a":"' + evil + b'"}'], DEAD_LETTERS, headers)
    for arguments in (("list",), ("show", "0:0"), ("show", "0:0", "--decoded"), ("replay", "--all")):
        done = kafka_only.run("dead-letters", *arguments)
        assert done.returncode == 0
        assert "evil" in done.stdout
        for character in "\x1b\x07\x9b\u202e\r":
            assert character not in done.stdout + done.stderr


def test_the_payload_goes_to_standard_output_as_it_is_and_alone(kafka_only: Installation) -> None:
    written(kafka_only, (GARBAGE, "Garbage.", "otlp_spans"))
    assert kafka_only.run_bytes("dead-letters", "show", "0:0", "--payload", "-") == GARBAGE


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("show", "0:7"), 1, "there is no dead letter 0:7"),
        (("show", "5:0"), 1, "there is no dead letter 5:0"),
        (("show", "7"), 2, "a dead letter is named PARTITION:OFFSET"),
        (("replay",), 2, "say which dead letters to send"),
        (("replay", "--all", "--reason", "x"), 2, "say which dead letters to send"),
        (("replay", "0:9"), 1, "there is no dead letter 0:9"),
        (("list", "--since", "yesterday"), 2, "--since yesterday is no time"),
        (("list", "--until", "soon"), 2, "--until soon is no time"),
    ],
)
def test_a_mistake_is_one_sentence(
    shared_kafka: Installation, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    assert sentence in shared_kafka.spanloom("dead-letters", *arguments, code=code)
