"""A file that is read again when it changes, and what happens when it can't be."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spanloom.watched_file import LOOK, WatchedFile


class BrokenError(ValueError):
    """What these files raise."""


def words(text: str) -> list[str]:
    if "broken" in text:
        raise BrokenError("it is broken")
    return text.split()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A watched file, with time passing between any two looks."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.path = path
        self.file = WatchedFile("words file", path, words, BrokenError, self.clock)

    def look(self) -> list[str]:
        self.clock.now += LOOK
        return self.file.contents()

    def write(self, text: str) -> None:
        """Write it in place, and not within the same tick of the file system's clock."""
        before = self.path.stat().st_ctime_ns
        deadline = time.monotonic() + 10
        while self.path.stat().st_ctime_ns == before:
            assert time.monotonic() < deadline
            self.path.write_text(text)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    path = tmp_path / "words"
    path.write_text("one two")
    return Watched(path)


def test_it_is_looked_at_once_a_second_at_most(watched: Watched) -> None:
    watched.write("three")
    assert watched.file.contents() == ["one", "two"]
    watched.clock.now = LOOK * 0.9
    assert watched.file.contents() == ["one", "two"]
    watched.clock.now = LOOK
    assert watched.file.contents() == ["three"]


def test_a_file_that_stays_is_not_read_again(watched: Watched) -> None:
    before = watched.look()
    assert watched.look() is before


def test_a_text_of_the_same_length_and_time_is_noticed(watched: Watched) -> None:
    before = watched.path.stat()
    watched.write("six two")
    os.utime(watched.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.look() == ["six", "two"]


def test_a_file_that_is_replaced_is_read(watched: Watched) -> None:
    other = watched.path.with_name("other")
    other.write_text("six two")
    before = watched.path.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(watched.path)
    assert watched.look() == ["six", "two"]


def test_a_link_that_is_moved_as_kubernetes_does_is_followed(tmp_path: Path) -> None:
    for name, text in (("..1", "one"), ("..2", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "words").write_text(text)
    stat = (tmp_path / "..1" / "words").stat()
    os.utime(tmp_path / "..2" / "words", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "words").symlink_to("..data/words")
    watched = Watched(tmp_path / "words")
    assert watched.look() == ["one"]
    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").rename(tmp_path / "..data")
    assert watched.look() == ["two"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.write_text("broken"), "the words file {path} can't be used: it is broken"),
        (lambda path: path.write_bytes(b"\xff"), "the words file {path} can't be read: it is not UTF-8"),
        (lambda path: path.unlink(), "the words file {path} can't be read: No such file or directory"),
        (
            lambda path: (path.unlink(), path.mkdir()),
            "the words file {path} can't be read: Is a directory",
        ),
    ],
)
def test_a_file_that_can_not_be_used_changes_nothing_and_is_logged_once(
    watched: Watched, spoil: Callable[[Path], object], sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(watched.path)
    for _ in range(3):
        assert watched.look() == ["one", "two"]
    (record,) = caplog.records
    assert record.getMessage() == f"{sentence.format(path=watched.path)}; its previous contents still hold"
    if watched.path.is_dir():
        watched.path.rmdir()
    watched.path.write_text("three")
    assert watched.look() == ["three"]


def test_two_different_faults_are_logged_each(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.write("broken")
    watched.look()
    watched.path.unlink()
    watched.look()
    assert len(caplog.records) == 2


def test_a_fault_that_passes_without_a_change_of_the_file_is_tried_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a process has too many files open."""
    watched.write("three")

    def fails(*_: object, **__: object) -> str:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", fails)
        assert watched.look() == ["one", "two"]
    assert watched.look() == ["three"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"broken", "can't be used: it is broken"),
        (b"\xff", "can't be read: it is not UTF-8"),
        (None, "No such file"),
    ],
)
def test_at_the_start_it_must_be_readable(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "words"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BrokenError, match=sentence):
        Watched(path)
