"""Every query for a person, by a page, the API or a command, is read-only and within limits."""

from __future__ import annotations

import ast

import pytest

from tests.docs.test_house import FILES

ASKING = [
    name
    for name in FILES
    if name.startswith(("spanloom.warehouse.queries", "spanloom.dashboard", "spanloom.commands"))
]


@pytest.mark.parametrize("name", ASKING)
def test_only_ask_sends_queries(name: str) -> None:
    sent = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(FILES[name].read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            node.func.attr in ("query_rows", "query_arrow", "run_blocking")
            or ast.unparse(node.func).endswith("warehouse.run")
        )
    }
    assert sent == ({"warehouse.run"} if name == "spanloom.warehouse.queries.ask" else set())
