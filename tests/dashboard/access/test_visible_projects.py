"""Nothing of a project that one may not see comes out of any route, whatever is asked."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.warehouse.client import Warehouse
from tests.dashboard.client import Api
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import START, put, spans

MINE, YOURS = "mine", "yours-secret"
TRACE = f"{7:032x}"
SPAN = "00000000000000aa"


@pytest.fixture(scope="module")
def two(warehouse: Warehouse) -> Warehouse:
    """Two projects; one session and one trace of the same ID in both, and one of each for itself."""
    both: dict[str, Any] = {"tags": ["t"], "models": ["m"], "metadata": [("k", "v")]}
    rows = []
    for name in (MINE, YOURS):
        own = both | {"input": f"hello {name}", "user_id": f"user-{name}", "services": [name]}
        rows += [trace(name, "shared", 7, **own), trace(name, f"of {name}", len(name) + 100, **own)]
    put_world(warehouse, *rows)
    put(
        warehouse,
        "spans_versions",
        spans(
            *(
                {
                    "project_id": name,
                    "trace_id": TRACE,
                    "span_id": SPAN,
                    "name": name,
                    "span_type": "LLM",
                    "input": f"hello {name}",
                }
                for name in (MINE, YOURS)
            )
        ),
    )
    return warehouse


LISTS: list[tuple[str, dict[str, Any]]] = [
    ("projects", {}),
    ("sessions", {}),
    ("sessions", {"q": "hello"}),
    ("sessions", {"metadata": "k=v"}),
    ("sessions", {"from_": START, "sort": "project_id"}),
    ("traces", {}),
    ("traces", {"q": "HELLO"}),
    ("histogram", {"kind": "sessions"}),
    ("histogram", {"kind": "traces"}),
    ("facets", {"kind": "sessions"}),
    ("facets", {"kind": "traces"}),
    ("find", {"q": "shared"}),
    ("find", {"q": TRACE}),
]
DETAILS: list[tuple[str, dict[str, Any]]] = [
    ("session", {"id": "shared"}),
    ("session/traces", {"id": "shared"}),
    ("session/timeline", {"id": "shared"}),
    ("session/search", {"id": "shared", "q": "hello"}),
    (f"traces/{TRACE}", {}),
    (f"traces/{TRACE}/spans/{SPAN}", {}),
]


FILES: list[tuple[str, dict[str, Any]]] = [
    ("sessions/export", {"format": "jsonl"}),
    ("traces/export", {"format": "csv"}),
    ("session/export", {"id": "shared", "format": "json"}),
    ("session/export", {"id": "shared", "format": "markdown"}),
    (f"traces/{TRACE}/otlp", {}),
]


@pytest.mark.parametrize(("path", "asked"), FILES)
def test_only_what_is_visible_is_taken_along(two: Warehouse, path: str, asked: dict[str, Any]) -> None:
    mine = Api(two, frozenset((MINE,))).answer(path, **asked)
    assert mine.status_code == 200
    assert f"hello {MINE}" in mine.text or path.startswith("traces/0")
    assert YOURS not in mine.text
    hidden = Api(two, frozenset((MINE,))).answer(path, project=YOURS, **asked)
    assert hidden.status_code == (200 if path in ("sessions/export", "traces/export") else 404)
    assert YOURS not in hidden.text
    nobody = Api(two, frozenset()).answer(path, **asked)
    assert MINE not in nobody.text
    if hidden.status_code == 404:
        assert Api(two).answer(path, **asked).status_code == 409


@pytest.mark.parametrize(("path", "asked"), LISTS + DETAILS)
def test_only_what_is_visible_comes_out(two: Warehouse, path: str, asked: dict[str, Any]) -> None:
    mine = Api(two, frozenset((MINE,)))
    answer = mine.answer(path, **asked)
    assert answer.status_code == 200
    assert YOURS not in answer.text
    assert answer.json() == Api(two).answer(path, project=MINE, **asked).json() or path in (
        "projects",
        "facets",
    )


@pytest.mark.parametrize(("path", "asked"), LISTS[1:])
def test_naming_a_hidden_project_finds_nothing(two: Warehouse, path: str, asked: dict[str, Any]) -> None:
    answer = Api(two, frozenset((MINE,))).get(path, project=YOURS, **asked)
    assert not any(answer[name] for name in answer if name not in ("next", "bucket_seconds"))


@pytest.mark.parametrize(("path", "asked"), DETAILS)
def test_a_hidden_thing_is_as_one_that_is_not_there(two: Warehouse, path: str, asked: dict[str, Any]) -> None:
    hidden = Api(two, frozenset((MINE,))).answer(path, project=YOURS, **asked)
    missing = Api(two).answer(path, project="nobody", **asked)
    assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text)
    assert hidden.status_code == 404


@pytest.mark.parametrize(("path", "asked"), LISTS + DETAILS)
def test_who_may_see_nothing_sees_nothing(two: Warehouse, path: str, asked: dict[str, Any]) -> None:
    answer = Api(two, frozenset()).answer(path, **asked)
    assert MINE not in answer.text
    assert YOURS not in answer.text
    assert answer.status_code in (200, 404)


@pytest.mark.parametrize(("path", "asked"), DETAILS)
def test_an_id_of_two_visible_projects_asks_for_one(two: Warehouse, path: str, asked: dict[str, Any]) -> None:
    answer = Api(two, frozenset((MINE, YOURS))).answer(path, **asked)
    assert answer.status_code == 409
    assert f"in the projects {MINE}, {YOURS}: name one" in answer.json()["error"]


def test_a_cursor_of_another_opens_nothing(two: Warehouse) -> None:
    cursor = Api(two).get("sessions", limit=1, order="asc")["next"]
    answer = Api(two, frozenset((MINE,))).answer("sessions", cursor=cursor, order="asc")
    assert YOURS not in answer.text
