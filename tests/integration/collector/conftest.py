"""The Collector's binary for all tests here; without Go they are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.collector import building


@pytest.fixture(scope="session")
def collector_binary() -> Path:
    """A Collector of the pinned version; built the first time."""
    if reason := building.without_go():
        pytest.skip(reason)
    return building.collector()
