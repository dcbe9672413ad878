"""One session: its totals and its traces in order."""

from __future__ import annotations

import pytest

from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.sessions.page import Ambiguous, session_cards, session_detail
from tests.warehouse.tables import SECOND, START, partial, put, run, window


def put_windows(warehouse: Warehouse, *windows: dict[str, object]) -> None:
    put(warehouse, "session_windows_versions", partial(*windows))


def test_a_session_shows_its_traces_in_order(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, window(project, "it's 🧵", 0, user_id="u", user_ids=["u"], models=["m"]))
    put(
        warehouse,
        "traces_versions",
        partial(
            *(
                {
                    "project_id": project,
                    "session_id": "it's 🧵",
                    "window_start": START,
                    "trace_id": f"{number:032x}",
                    "name": f"turn {number}",
                    "tags": ["a"],
                    "metadata": [("k", "v")],
                    "start_time": (START + number) * SECOND,
                    "end_time": (START + number + 2) * SECOND,
                    "version": 1,
                }
                for number in (3, 1, 2)
            )
        ),
    )
    detail = run(session_detail(warehouse, "it's 🧵", project))
    assert detail is not None
    assert (detail.project_id, detail.user_ids, detail.models) == (project, ["u"], ["m"])
    assert detail.metadata == {"k": ["v"]}
    assert detail == run(session_detail(warehouse, "it's 🧵"))
    cards = run(session_cards(warehouse, "it's 🧵", project)).rows
    assert [(card.number, card.name) for card in cards] == [(1, "turn 1"), (2, "turn 2"), (3, "turn 3")]
    assert cards[0].duration == 2
    assert cards[0].metadata == {"k": "v"}
    limited = run(session_cards(warehouse, "it's 🧵", project, limit=2))
    assert limited.rows == cards[:2]
    assert limited.next is not None


def test_a_session_of_two_projects_asks_for_one(warehouse: Warehouse, project: str) -> None:
    put_windows(warehouse, *(window(project + end, "shared", 0) for end in "ab"))
    with pytest.raises(Ambiguous, match=f"in the projects {project}a, {project}b: name one"):
        run(session_detail(warehouse, "shared"))
    detail = run(session_detail(warehouse, "shared", f"{project}b"))
    assert detail is not None
    assert detail.project_id == f"{project}b"


def test_a_session_that_is_not_there_is_none(warehouse: Warehouse, project: str) -> None:
    assert run(session_detail(warehouse, "nobody", project)) is None
