from __future__ import annotations

from pathlib import Path

import pytest

from spanloom.commands.otlp_files import FileError, find, retimed
from spanloom.schemas.otlp_pb2 import ExportTraceServiceRequest
from tests.captures_truth import CAPTURES


def test_a_folder_gives_its_recordings_and_leaves_other_files_alone() -> None:
    found = dict.fromkeys(file.path.parent.name for file in find([CAPTURES]))
    assert list(found) == sorted(folder.name for folder in CAPTURES.iterdir() if folder.is_dir())
    assert {file.path.suffix for file in find([CAPTURES])} == {".pb"}


def test_times_move_so_that_the_last_span_of_a_folder_ends_now_and_distances_stay() -> None:
    now = 2_000_000_000_000_000_000
    [before] = find([CAPTURES / "py-lmnr"])
    [after] = retimed([before], now)

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
