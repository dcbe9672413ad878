"""Reading OTLP files: what is found, message by message, and what is skipped."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.commands import otlp_files
from spanloom.commands.otlp_files import FileError, FileMessage, Skipped, find, messages
from spanloom.commands.sending.retiming import last_ends, retimed
from spanloom.schemas.otlp_pb2 import ExportTraceServiceRequest
from spanloom.spans.reading.wire.request import read_request
from tests.captures_truth import CAPTURES
from tests.fuzz.strategies import json_requests, requests
from tests.spans.reading.otlp_examples import otlp_json_bytes, request, span


def test_a_folder_gives_its_recordings_and_leaves_other_files_alone() -> None:
    found = dict.fromkeys(file.path.parent.name for file in find([CAPTURES]))
    assert list(found) == sorted(folder.name for folder in CAPTURES.iterdir() if folder.is_dir())
    assert {file.path.suffix for file in find([CAPTURES])} == {".pb"}


def test_times_move_so_that_the_last_span_of_a_folder_ends_now_and_distances_stay() -> None:
    now = 2_000_000_000_000_000_000
    [before] = find([CAPTURES / "py-lmnr"])
    after = retimed(before, last_ends([before]), now)

    def times(value: bytes) -> list[tuple[int, int]]:
        return [
            (span.start_time_unix_nano, span.end_time_unix_nano)
            for resource in ExportTraceServiceRequest.FromString(value).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    assert max(end for _, end in times(after.value)) == now
    shifts = {
        new - old
        for some, others in zip(times(before.value), times(after.value), strict=True)
        for old, new in zip(some, others, strict=True)
    }
    assert len(shifts) == 1


def test_the_samples_of_the_package_are_the_recordings() -> None:
    for sample in sorted(Path("spanloom/samples").rglob("*.pb")):
        assert sample.read_bytes() == (CAPTURES / sample.parent.name / sample.name).read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.pb", None, "can't be read: No such file"),
        ("garbage.pb", b"\xff\xff", "is not OTLP"),
        ("other.json", b'{"hello": 1}', "is not OTLP"),
        ("nothing.pb", b"", r"nothing\.pb is empty: check what writes it"),
        ("blank.json", b" \n", r"blank\.json is empty: check what writes it"),
        ("empty", "folder", "name a file or a folder"),
        ("list.json", b"[]", "is not OTLP"),
        ("nothing.json", b"{}", "is not OTLP"),
        ("cut.pb.gz", gzip.compress(b"x" * 999, mtime=0)[:-9], "is damaged: its gzip ends too early"),
        ("short.pb", b"\0\0\0\x09\x0a\0", "message 1, is cut off"),
    ],
)
def test_what_can_not_be_sent_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | str | None, sentence: str
) -> None:
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(FileError, match=sentence):
        find([path])


def test_an_empty_recording_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "lost.pb").write_bytes(b"")
    (tmp_path / "notes.json").write_bytes(b"")  # as any .json without spans, it may be something else
    with pytest.raises(FileError, match=r"lost\.pb is empty"):
        find([tmp_path])


def read(given: bytes) -> list[FileMessage | Skipped]:
    """What standard input with these bytes holds."""
    return list(messages([Path("-")], io.BufferedReader(io.BytesIO(given))))


def values(given: bytes) -> list[bytes]:
    return [each.value.strip() for each in read(given) if isinstance(each, FileMessage)]


def problems(given: bytes) -> list[str]:
    return [str(each) for each in read(given) if isinstance(each, Skipped)]


GOOD = otlp_json_bytes(request(span({"a": 1})))


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
def test_one_document_may_have_any_number_of_lines(indent: int | None) -> None:
    document = json.dumps(json.loads(GOOD), indent=indent).encode()
    for file in (document, document + b"\n", b"\n \r\n" + document, document.replace(b"\n", b"\r\n")):
        assert len(values(file)) == 1
        assert problems(file) == []
    by_hand = document.replace(b'{"resourceSpans": [', b'{"resourceSpans": [\n')
    assert len(values(by_hand)) == 1


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_broken_line_costs_itself(broken: int) -> None:
    every = [GOOD, GOOD, GOOD]
    every[broken] = GOOD[:-5]
    given = b"\n".join(every)
    assert values(given) == [GOOD] * 2
    (problem,) = problems(given)
    assert problem.startswith(
        f"standard input, line {broken + 1}, is not OTLP (the message is not valid JSON)"
    )


def test_blank_lines_count_as_lines() -> None:
    assert [
        each.where for each in read(b"\n\n" + GOOD + b"\n\r\n" + GOOD) if isinstance(each, FileMessage)
    ] == [
        "standard input, line 3,",
        "standard input, line 5,",
    ]


def test_an_empty_export_is_sent_and_an_export_of_something_else_is_not() -> None:
    given = b'{"resourceSpans":[]}\n{"resourceLogs":[]}\n{"resourceSpans":[{"spans":[]}]}\n' + GOOD
    assert values(given) == [b'{"resourceSpans":[]}', GOOD]
    assert len(problems(given)) == 2


_lines = json_requests() | st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b""))


@given(st.lists(_lines, max_size=4), st.booleans())
def test_every_line_is_read_or_skipped(lines: list[bytes], packed: bool) -> None:
    given = b"\n".join([GOOD, *lines, GOOD])
    found = read(gzip.compress(given) if packed else given)
    assert len(found) == 2 + sum(bool(line.strip()) for line in lines)
    assert all(isinstance(found[place], FileMessage) for place in (0, -1))
    for line, each in zip([GOOD, *filter(bytes.strip, lines), GOOD], found, strict=True):
        assert isinstance(each, Skipped) or each.value == line.rstrip(b"\r\n")


@given(st.lists(requests(), min_size=1, max_size=4), st.integers(0, 400))
def test_messages_with_their_lengths_are_read_up_to_where_they_are_cut(some: list[bytes], cut: int) -> None:
    whole = b"".join(len(value).to_bytes(4) + value for value in some)
    assert values(whole) == [value.strip() for value in some if value]
    if 0 < cut < len(whole):
        found = read(whole[:-cut])
        read_before = [each.value for each in found if isinstance(each, FileMessage)]
        assert read_before == some[: len(read_before)]


@given(st.binary(max_size=200), st.booleans(), st.integers(0, 50))
def test_any_bytes_are_read_or_skipped(given: bytes, packed: bool, cut: int) -> None:
    given = gzip.compress(given)[: -cut or None] if packed else given
    found = read(given)
    assert found
    for each in found:
        # What is read is what a worker reads, too.
        assert isinstance(each, Skipped) or read_request(each.value, 1 << 20).request is not None


def test_what_stands_behind_a_name_in_a_folder(tmp_path: Path) -> None:
    protobuf = request(span())
    contents: dict[str, Any] = {
        "a.pb": protobuf,
        "b.pb.gz": gzip.compress(protobuf),
        "c.json": GOOD,
        "d.jsonl": GOOD + b"\n" + GOOD,
        "e.ndjson.gz": gzip.compress(GOOD),
        "f.txt": GOOD,
        "g.gz": gzip.compress(GOOD),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = [each.path.name for each in find([tmp_path])]
    assert found == ["a.pb", "b.pb.gz", "c.json", "d.jsonl", "d.jsonl", "e.ndjson.gz"]


@pytest.mark.parametrize("length", [32, 34, 121, 123])
def test_protobuf_that_begins_like_json_is_protobuf(length: int) -> None:
    """A first resource of 123 bytes begins with a line feed and a brace, and goes on with the length of its own."""
    for filler in range(200):
        value = request(span(name="x" * filler), resource={"k": "v" * max(length - 9, 1)})
        assert [each.value for each in read(value) if isinstance(each, FileMessage)] == [value]


def test_the_rest_of_a_line_that_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_files, "LONGEST", len(GOOD) + 10)
    given = b"\n".join([GOOD, GOOD + b" " * 1000, b'{"x":"' + b"y" * 5000 + b'"}', GOOD])
    assert values(given) == [GOOD, GOOD]
    assert [problem.split(" is longer")[0] for problem in problems(given)] == [
        "standard input, line 2,",
        "standard input, line 3,",
    ]
