"""What is found by an ID or its beginning: each kind, of visible projects only, bounded."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from spanloom.spans.text.ids import bounded_id
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries import find as finding
from spanloom.warehouse.queries.ask import QueryLimits
from spanloom.warehouse.queries.find import MOST_HITS, find
from tests.dashboard.client import Api
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import SECOND, START, STORED, put, spans

RECENT = time.time() - START - 3600
"""Seconds from START to an hour ago: users and spans are looked for in recent data."""


def hits(api: Api, project: str | None, q: str, kind: str | None = None) -> list[str]:
    found = api.get("find", project=project, q=q)["hits"]
    return [hit["id"] for hit in found if kind in (None, hit["kind"])]


def put_span(warehouse: Warehouse, project: str, span: str, trace: str = f"{7:032x}", **more: Any) -> None:
    start = int(START + RECENT) * SECOND
    row = {"project_id": project, "trace_id": trace, "span_id": span, "start_time": start, "end_time": start}
    put(warehouse, "spans_versions", spans(row | more))


def test_each_kind_has_what_a_link_to_it_needs(api: Api, warehouse: Warehouse, project: str) -> None:
    one = trace(project, "abcdef01-session", 0xABCDEF01 << 96, at=RECENT, input="hi", user_id="abcdef01-user")
    put_world(warehouse, one)
    put_span(warehouse, project, "abcdef0123456789", name="call")
    found = api.get("find", project=project, q="abcdef01")
    assert found["more"] is False
    assert found["skipped"] == []
    times = [hit.pop("time") for hit in found["hits"]]
    assert all(each.endswith("Z") for each in times)
    start = datetime.fromtimestamp(one["start_time"] // SECOND, UTC)
    assert times[1].startswith(f"{start:%Y-%m-%dT%H:%M:%S}")
    assert found["hits"] == [
        {"kind": "session", "id": "abcdef01-session", "project_id": project, "trace_id": "", "name": "hi"},
        {"kind": "trace", "id": "abcdef01" + 24 * "0", "project_id": project, "trace_id": "", "name": "turn"},
        {
            "kind": "span",
            "id": "abcdef0123456789",
            "project_id": project,
            "trace_id": f"{7:032x}",
            "name": "call",
        },
        {"kind": "user", "id": "abcdef01-user", "project_id": project, "trace_id": "", "name": ""},
    ]


@pytest.mark.parametrize(
    "session",
    ['it\'s "q" `b` \\ {x:String}', "<script>", "%_*", "🧵 ünï", "שלום", "\u202eevil", "y" + "x" * 1023, "0"],
)
def test_an_id_is_found_by_any_beginning_whatever_is_in_it(
    api: Api, warehouse: Warehouse, project: str, session: str
) -> None:
    put_world(warehouse, trace(project, session, 1, at=RECENT, user_id=session))
    for end in {1, 2, len(session) // 2 or 1, len(session)}:
        assert hits(api, project, session[:end]) == [session, session]
    assert hits(api, project, session + "!") == []
    assert hits(api, project, session[1:] or "y") == []


def test_a_whole_id_that_is_cut_where_it_is_stored_is_found(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    stored = bounded_id("x" * 5000)
    put_world(warehouse, trace(project, stored, 1, at=RECENT, user_id=stored))
    assert hits(api, project, "x" * 5000) == [stored, stored]
    assert hits(api, project, "x" * 4999) == []


def test_hexadecimal_ids_are_found_in_any_case_from_some_digits_on(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    number = 0xFEDCBA98 << 96
    put_world(warehouse, trace(project, "", number))
    put_span(warehouse, project, "fedcba9876543210")
    assert hits(api, project, "FED") == []
    assert hits(api, project, "FEDC") == [f"{number:032x}"]
    assert hits(api, project, "FEDCBA9") == [f"{number:032x}"]
    assert hits(api, project, "FEDCBA98") == [f"{number:032x}", "fedcba9876543210"]
    assert hits(api, project, f"{number:032X}") == [f"{number:032x}"]
    assert hits(api, project, "fedcba9876543210") == ["fedcba9876543210"]
    assert hits(api, project, "fedcba98765432100") == []
    assert hits(api, project, f"{number:032x}0") == []


def test_a_whole_id_comes_first_and_more_is_said(api: Api, warehouse: Warehouse, project: str) -> None:
    many = [
        trace(project, f"s{number:02}", number + 1, at=RECENT + number, user_id=f"u{number:02}")
        for number in range(30)
    ]
    put_world(warehouse, *many, trace(project, "s", 99, at=RECENT - 1000, user_id="u"))
    found = api.get("find", project=project, q="s")
    assert [hit["id"] for hit in found["hits"]] == ["s", "s00", "s01", "s02", "s03"]
    assert len(found["hits"]) == MOST_HITS
    assert found["more"] is True
    assert hits(api, project, "u") == ["u", "u29", "u28", "u27", "u26"]
    assert api.get("find", project=project, q="s29")["more"] is False


def test_a_whole_id_is_found_behind_any_number_of_beginnings_in_other_projects(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    crowd = [trace(f"{project}-a", f"{project}-{number:03}", number + 1) for number in range(120)]
    put_world(warehouse, *crowd, trace(f"{project}-z", f"{project}-", 500))
    first = api.get("find", q=f"{project}-")["hits"][0]
    assert (first["id"], first["project_id"]) == (f"{project}-", f"{project}-z")


def test_what_is_deleted_or_has_moved_is_found_where_it_is(
    api: Api, warehouse: Warehouse, project: str
) -> None:
    put_world(
        warehouse, trace(project, "old", 0xAAAA << 112, at=RECENT), trace(project, "old", 0xAAAB << 112)
    )
    put_world(
        warehouse,
        trace(project, "old", 0xAAAA << 112, at=RECENT, version=STORED + 1, is_deleted=1),
        trace(project, "new", 0xAAAA << 112, at=RECENT, version=STORED + 1, name="moved"),
        trace(project, "old", 0xAAAB << 112, version=STORED + 1, is_deleted=1),
    )
    put_span(warehouse, project, "aaaaaaaa00000000")
    put_span(warehouse, project, "aaaaaaaa00000000", version=2, is_deleted=1)
    (found,) = api.get("find", project=project, q="aaaa")["hits"]
    assert (found["id"], found["name"]) == (f"{0xAAAA << 112:032x}", "moved")
    assert hits(api, project, "aaaaaaaa", "span") == []


def test_spans_of_this_month_and_the_last_and_users_of_thirty_days(
    warehouse: Warehouse, project: str
) -> None:
    put_world(warehouse, trace(project, "s", 1, user_id="grace"))
    start = START * SECOND
    put_span(warehouse, project, "abcdabcdabcdabcd", start_time=start, end_time=start)

    def found(days: float, q: str) -> list[str]:
        now = datetime.fromtimestamp(START + days * 86_400, UTC)
        return [hit.kind for hit in asyncio.run(find(warehouse, q, now, project)).hits]

    assert (found(29, "gr"), found(32, "gr")) == (["user"], [])
    assert (found(29, "abcdabcd"), found(90, "abcdabcd")) == (["span"], [])
    assert found(4000, "s") == ["session"]


def test_other_projects_are_invisible(warehouse: Warehouse, project: str) -> None:
    mine, yours = f"{project}-mine", f"{project}-yours"
    for name in (mine, yours):
        number = 0x77777777 << 96
        put_world(warehouse, trace(name, "77777777-s", number, at=RECENT, user_id="77777777-u"))
        put_span(warehouse, name, "7777777700000000", f"{number:032x}")
    sees = Api(warehouse, frozenset((mine,)))
    found = sees.get("find", q="77777777")["hits"]
    assert [hit["kind"] for hit in found] == ["session", "trace", "span", "user"]
    assert {hit["project_id"] for hit in found} == {mine}
    assert len(Api(warehouse).get("find", q="77777777-")["hits"]) >= 4
    assert sees.get("find", q="77777777", project=yours) == {"hits": [], "more": False, "skipped": []}
    assert Api(warehouse, frozenset()).get("find", q="77777777")["hits"] == []


def test_a_kind_that_is_too_many_is_named_and_the_others_are_found(
    warehouse: Warehouse, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_world(warehouse, *(trace(project, f"s{number}", number + 1, at=RECENT) for number in range(50)))
    put_span(warehouse, project, "abcdabcdabcdabcd")
    monkeypatch.setattr(finding, "LIMITS", QueryLimits(rows_read=20))
    found = Api(warehouse).get("find", project=project, q="s1")
    assert "user" in found["skipped"]
    assert not any(hit["kind"] in found["skipped"] for hit in found["hits"])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, "The parameter 'q' is wrong: Field required"),
        ({"q": ""}, "The parameter 'q' is wrong: String should have at least 1 character"),
        ({"q": "x" * 10_001}, "The parameter 'q' is wrong: String should have at most 10000 characters"),
        ({"q": "a\0"}, "The parameter 'q' is wrong: must not hold the character U+0000"),
        ({"q": "a", "limit": 9}, "There is no parameter 'limit'"),
    ],
)
def test_bad_input_is_one_sentence(api: Api, asked: dict[str, Any], reason: str) -> None:
    answer = api.answer("find", **asked)
    assert (answer.status_code, answer.json()) == (422, {"error": reason})


def test_the_route_is_described(api: Api) -> None:
    described = api.answer("openapi.json").json()["paths"]["/api/find"]["get"]
    assert {each["name"] for each in described["parameters"]} == {"q", "project"}
    assert described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Hits")
