"""Only chdb of the local stack brings pandas: the image has none, and `spanloom worker` refuses it."""

from __future__ import annotations

import subprocess
import sys

from tests.docs.generated import ROOT

_PROGRAM = """
import sys
import pytest
from spanloom.commands.run import _without_pandas

_without_pandas()
code = pytest.main(["-q", "-p", "no:cacheprovider", "tests/spans/folding/test_session_fold.py"])
assert "pandas" not in sys.modules
sys.exit(code)
"""


def test_what_is_read_back_from_clickhouse_needs_no_pandas() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
