"""IDs that are longer than what is stored of them name one session each, wherever one asks for them."""

from __future__ import annotations

import pytest

from spanloom.spans.text.ids import LONGEST_ID, bounded_id
from spanloom.warehouse.client import Warehouse
from tests.dashboard.client import Api
from tests.dashboard.world import put_world, trace

BEGINNING = "https://example.com/?token=" + "x" * LONGEST_ID
ONE, OTHER = BEGINNING + "a", BEGINNING + "b"


@pytest.fixture
def two_sessions(warehouse: Warehouse, project: str) -> str:
    """A project with two sessions whose IDs, and users, are the same for as long as what is stored of them."""
    put_world(
        warehouse,
        trace(project, bounded_id(ONE), 1, user_id=bounded_id(ONE), input="one"),
        trace(project, bounded_id(OTHER), 2, user_id=bounded_id(OTHER), input="other"),
    )
    return project


@pytest.mark.parametrize("as_stored", [False, True])
@pytest.mark.parametrize(("name", "number"), [(ONE, 1), (OTHER, 2)])
def test_a_long_id_finds_its_session_alone(
    api: Api, two_sessions: str, name: str, number: int, as_stored: bool
) -> None:
    asked = bounded_id(name) if as_stored else name
    trace_id, session = f"{number:032x}", {"id": asked, "project": two_sessions}
    for wanted in ({"user": asked}, {"session_id": asked}):
        sessions = api.all_rows("sessions", project=two_sessions, **wanted)
        assert [row["session_id"] for row in sessions] == [bounded_id(name)]
        traces = api.all_rows("traces", project=two_sessions, **wanted)
        assert [row["trace_id"] for row in traces] == [trace_id]
    assert api.get("session", **session)["session_id"] == bounded_id(name)
    assert [card["trace_id"] for card in api.all_rows("session/traces", **session)] == [trace_id]
    assert [row["trace_id"] for row in api.get("session/timeline", **session)["traces"]] == [trace_id]
    [match] = api.get("session/search", **session, q="o")["traces"]
    assert match["trace_id"] == trace_id


def test_what_two_long_ids_have_in_common_finds_both(api: Api, two_sessions: str) -> None:
    rows = api.all_rows("sessions", project=two_sessions, session_id=BEGINNING[:100].upper())
    assert len(rows) == 2
