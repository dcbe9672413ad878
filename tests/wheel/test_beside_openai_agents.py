"""The openai-agents SDK, whose import name is `agents`, and spanloom leave each other alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wheel.environment import Environment

pytestmark = pytest.mark.wheel

# What users of each do first.
USES = {
    "spanloom": "import spanloom.agents.app, spanloom.schemas.facts_pb2, spanloom.commands.cli",
    "openai-agents": "from agents import Agent; assert Agent(name='helper').name == 'helper'",
}


@pytest.mark.parametrize(("first", "second"), [("spanloom", "openai-agents"), ("openai-agents", "spanloom")])
def test_each_works_whichever_was_installed_first_or_is_uninstalled(
    environment: Environment, tmp_path: Path, first: str, second: str
) -> None:
    def work(*packages: str) -> None:
        for order in (packages, packages[::-1]):
            environment.run("python", "-c", "\n".join(USES[name] for name in order), folder=tmp_path)

    environment.uninstall("spanloom", "openai-agents")
    empty = environment.top_level()
    assert empty.isdisjoint({"spanloom", "agents", "schemas"})
    environment.install(first)
    work(first)
    alone = environment.top_level()
    environment.install(second)
    work(first, second)
    environment.uninstall(second)
    assert environment.top_level() == alone
    work(first)
    environment.install(second)
    environment.uninstall(first)
    work(second)
    environment.uninstall(second)
    assert environment.top_level() == empty
