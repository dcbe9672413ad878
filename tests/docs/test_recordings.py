"""Each recording has one row in tests/captures/README.md, and each row a recording."""

from __future__ import annotations

import re

from tests.docs.generated import ROOT

CAPTURES = ROOT / "tests" / "captures"


def test_each_recording_has_one_row() -> None:
    rows = re.findall(r"^\| ([\w-]+) \|", (CAPTURES / "README.md").read_text(), re.MULTILINE)
    folders = sorted(folder.name for folder in CAPTURES.iterdir() if folder.is_dir())
    assert sorted(row for row in rows if row != "folder") == folders
    assert rows.count("folder") == 3  # what stands outside a table is no row
