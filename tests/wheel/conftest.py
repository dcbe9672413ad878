"""The wheel, and an environment to install it in; `make test-wheel`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wheel.building import Built, build
from tests.wheel.environment import Environment, builder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel, and what it was built of."""
    return build(builder(), tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def environment(built: Built) -> Environment:
    """The environment with all that spanloom and the openai-agents SDK need."""
    return Environment(built.wheel)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with packages of its own named as ours and as the SDK: whoever imports them fails."""
    for name in ("spanloom", "agents", "schemas"):
        package = tmp_path / "home" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('imported from the working directory')\n")
    return tmp_path / "home"
