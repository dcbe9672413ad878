"""The trace page as an answer: the tree for the script and for a browser without, and a span's panel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from spanloom import dashboard
from spanloom.dashboard.rendering import wording
from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor, visitor
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import SECOND, START, put, spans

TRACE = f"{7:032x}"


def sid(number: int) -> str:
    return f"{number:016x}"


@pytest.fixture
def somebody(warehouse: Warehouse) -> Visitor:
    return visitor(warehouse)


@pytest.fixture
def run(warehouse: Warehouse, project: str) -> str:
    """A trace of four spans: a root, an LLM call and a failed tool below it, and one whose parent is missing."""
    key = {"project_id": project, "trace_id": TRACE}
    start = START * SECOND
    put_world(
        warehouse, trace(project, "s", 7, 0, 4, root_span_id=sid(1), span_count=4, error_count=1, name="turn")
    )
    put(
        warehouse,
        "spans_versions",
        spans(
            key | {"span_id": sid(1), "name": "turn", "end_time": start + 4 * SECOND, "input": "Hi"},
            key | {
                "span_id": sid(2), "parent_span_id": sid(1), "name": "chat", "span_type": "LLM", "model": "gpt-4o",
                "input_tokens": 10, "output_tokens": 5, "total_cost": 0.25, "priced": 1,
                "start_time": start + SECOND, "end_time": start + 2 * SECOND,
                "input": json.dumps([{"role": "user", "content": "What <b>now</b>?"}]),
                "output": json.dumps(
                    [{"role": "assistant", "tool_calls": [{"function": {"name": "pay", "arguments": "{}"}}]}]),
                "attributes": [("gen_ai.x", '{"deep": [1]}'), ("<key>", "a\nb")],
                "resource": [("service.name", "shop")],
            },
            key | {
                "span_id": sid(3), "parent_span_id": sid(1), "name": "pay </script>", "span_type": "TOOL",
                "status": "error", "status_message": "declined",
                "start_time": start + 2 * SECOND, "end_time": start + 3 * SECOND,
                "events": [
                    {"name": "exception", "time": start, "attributes": [
                        ("exception.type", "Declined"), ("exception.message", "declined"),
                        ("exception.stacktrace", "Traceback\n  line <1>")]},
                    {"name": "retry", "time": start, "attributes": [("n", "2")]},
                ],
            },
            key | {"span_id": sid(4), "parent_span_id": sid(99), "name": "lost", "start_time": start + 3 * SECOND,
                   "end_time": start + 4 * SECOND},
        ),
    )  # fmt: skip
    return project


def get(who: Visitor, path: str, status: int = 200) -> str:
    answer = who.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def tree(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="tree-data">(.*?)</script>', page, re.S)
    assert found is not None
    data = json.loads(found[1])
    return {
        "length": data["length"],
        "reasons": data["reasons"],
        "rows": [dict(zip(data["columns"], row, strict=True)) for row in data["rows"]],
    }


def test_the_tree_has_every_span_in_order(somebody: Visitor, run: str) -> None:
    page = get(somebody, f"/traces/{TRACE}?project={run}")
    data = tree(page)
    assert data["length"] == 4000
    names = [(row["name"], row["depth"], row["below"], row["orphan"], row["start"]) for row in data["rows"]]
    assert names == [
        ("turn", 0, 2, 0, 0),
        ("chat", 1, 0, 0, 1000),
        ("pay </script>", 1, 0, 0, 2000),
        ("lost", 0, 0, 1, 3000),
    ]
    chat = data["rows"][1]
    assert (chat["type"], chat["tokens_in"], chat["tokens_out"], chat["cost"], chat["model"]) == (
        "LLM", 10, 5, 0.25, "gpt-4o",
    )  # fmt: skip
    assert f'data-chosen="{sid(1)}"' in page
    assert "/session?id=s&amp;project=" in page


def test_without_scripts_the_tree_is_a_table_of_links(somebody: Visitor, run: str) -> None:
    page = get(somebody, f"/traces/{TRACE}?project={run}")
    table = page[page.index('class="tree-plain"') : page.index("</table>")]
    assert table.count("<tr") == 5
    assert f"/traces/{TRACE}?project={run}&amp;span={sid(3)}" in table
    assert "pay &lt;/script&gt;" in table


def test_the_panel_of_an_llm_call_is_a_conversation(somebody: Visitor, run: str) -> None:
    part = get(somebody, f"/traces/{TRACE}/spans/{sid(2)}?project={run}")
    assert part.lstrip().startswith('<div class="panel"')
    assert "What &lt;b&gt;now&lt;/b&gt;?" in part
    assert "Tool call <code><bdi>pay</bdi></code>" in part
    assert "gpt-4o" in part
    assert '<span class="j-key"><bdi>deep</bdi>:</span>' in part
    assert "<bdi>&lt;key&gt;</bdi>" in part
    assert "service.name" in part
    assert f'data-raw="/api/traces/{TRACE}/spans/{sid(2)}?project={run}"' in part


def test_the_panel_of_a_failed_span_has_its_stack_trace(somebody: Visitor, run: str) -> None:
    page = get(somebody, f"/traces/{TRACE}?project={run}&span={sid(3)}")
    assert f'data-span="{sid(3)}"' in page
    assert "Traceback\n  line &lt;1&gt;" in page
    assert "Declined" in page
    assert page.count(">declined<") == 1
    assert "<bdi>retry</bdi>" in page


def test_unknown_ids_are_not_found(somebody: Visitor, run: str) -> None:
    assert "There is no such trace" in get(somebody, f"/traces/{8:032x}?project={run}", 404)
    assert "There is no such trace" in get(somebody, f"/traces/%3Cscript%3E?project={run}", 404)
    assert "There is no such span" in get(somebody, f"/traces/{TRACE}/spans/{sid(9)}?project={run}", 404)
    assert f'data-span="{sid(1)}"' in get(somebody, f"/traces/{TRACE}?project={run}&span=nonsense")


def test_a_trace_without_totals_yet_shows_its_spans(
    somebody: Visitor, warehouse: Warehouse, project: str
) -> None:
    put(
        warehouse,
        "spans_versions",
        spans({"project_id": project, "trace_id": TRACE, "span_id": sid(1), "name": "early"}),
    )
    page = get(somebody, f"/traces/{TRACE}?project={project}")
    assert "still being added up" in page
    assert tree(page)["rows"][0]["name"] == "early"


@pytest.fixture
def unknown_costs(warehouse: Warehouse, project: str) -> str:
    """A trace of calls whose cost is not known for several reasons, and of spans that cost nothing."""
    key = {"project_id": project, "trace_id": TRACE}
    call = key | {"parent_span_id": sid(1), "span_type": "LLM", "model": "my<model>", "provider": "mine"}
    put_world(
        warehouse,
        trace(project, "s", 7, 0, 4, root_span_id=sid(1), span_count=7, unpriced_call_count=3, name="turn"),
    )
    put(
        warehouse,
        "spans_versions",
        spans(
            key | {"span_id": sid(1), "name": "turn"},
            call | {"span_id": sid(2), "input_tokens": 10, "output_tokens": 5},
            call | {"span_id": sid(3), "unsplit_tokens": 30},
            call | {"span_id": sid(4)},
            call | {"span_id": sid(5), "status": "error"},
            call | {"span_id": sid(6), "input_tokens": 10, "priced": 1, "total_cost": 0.5},
            call | {"span_id": sid(7), "input_tokens": 10, "output_tokens": 6},
        ),
    )
    return project


def test_a_cost_that_is_not_known_says_why(somebody: Visitor, unknown_costs: str) -> None:
    page = get(somebody, f"/traces/{TRACE}?project={unknown_costs}")
    data = tree(page)
    reasons = {row["id"]: data["reasons"][row["unknown"]] for row in data["rows"]}
    assert reasons == {
        sid(1): "",
        sid(2): "no price for my<model> at mine",
        sid(3): "only a total told, not how many tokens were input and how many output",
        sid(4): "no usage told: neither tokens nor a cost",
        sid(5): "",
        sid(6): "",
        sid(7): "no price for my<model> at mine",
    }
    assert len(data["reasons"]) == 4
    table = page[page.index('class="tree-plain"') : page.index("</table>")]
    assert table.count('<td><span title="no price for my&lt;model&gt; at mine">?</span>') == 2
    assert table.count(heard("no price for my&lt;model&gt; at mine")) == 2
    assert table.count(">?</span>") == 4
    assert "3 calls of unknown cost: no price for the model, or no usage told" in page
    assert heard(f"3 calls of unknown cost: {wording.UNKNOWN_COSTS}") in page
    panel = get(somebody, f"/traces/{TRACE}?project={unknown_costs}&span={sid(2)}")
    assert '<span title="no price for my&lt;model&gt; at mine">unknown</span>' in panel
    assert heard("no price for my&lt;model&gt; at mine") in panel[panel.index('id="panel"') :]
    assert ">unknown</span>" not in get(somebody, f"/traces/{TRACE}?project={unknown_costs}&span={sid(6)}")


def heard(sentence: str) -> str:
    """What a screen reader says behind a price that is not known; it leaves out what a `title` says."""
    return f'<span class="visually-hidden">, {sentence}</span>'


@pytest.mark.parametrize("path", ["/sessions?range=all&", "/traces?range=all&", "/session?id=s&"])
def test_wherever_a_price_is_not_known_it_says_why(somebody: Visitor, unknown_costs: str, path: str) -> None:
    page = get(somebody, f"{path}project={unknown_costs}")
    [shown] = set(re.findall(r'<data [^>]*title="([^"]*)"[^>]*>\?</data>', page))
    assert shown == f"input $0, output $0; 3 calls of unknown cost: {wording.UNKNOWN_COSTS}"
    assert page.count(heard(f"3 calls of unknown cost: {wording.UNKNOWN_COSTS}")) == page.count(">?</data>")


def test_the_script_has_the_words_of_the_page() -> None:
    script = (Path(dashboard.__file__ or "").parent / "static" / "localise.js").read_text()
    assert json.dumps(wording.UNKNOWN_COSTS) in script
    assert json.dumps(wording.AHEAD) in script
