"""Where a replay stands, in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanloom.commands.replaying.progress import Progress, ProgressError, resumed

OPTIONS = {"--from": "7d"}


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    assert resumed(file, OPTIONS) is None
    kept = Progress(OPTIONS, 1, 2**63, ["shop", "00ff"], 7, 70)
    kept.save(file)
    assert resumed(file, OPTIONS) == kept
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "\0", "7"])
def test_another_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(content)
    with pytest.raises(ProgressError, match="is not the file of a replay: name another one"):
        resumed(file, OPTIONS)
    assert file.read_text() == content


def test_another_replay(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    Progress({"--from": "8d", "--project": "shop"}, 1, 2).save(file)
    with pytest.raises(ProgressError, match=r"is of another replay \(--from 8d --project shop\)"):
        resumed(file, OPTIONS)


def test_a_folder_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ProgressError, match="can't be read"):
        resumed(tmp_path, OPTIONS)
    with pytest.raises(ProgressError, match="can't be written"):
        Progress(OPTIONS, 1, 2).save(tmp_path / "missing" / "file")
