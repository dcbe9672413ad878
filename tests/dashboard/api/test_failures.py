"""Lists, histogram and pages show how many failures there were; the plain number of failed spans stands beside it."""

from __future__ import annotations

import re

import pytest

from spanloom.warehouse.client import Warehouse
from tests.dashboard.client import Api
from tests.dashboard.visitor import visitor
from tests.dashboard.world import put_world, trace

NUMBERS = ("failure_count", "error_count", "has_errors")


@pytest.fixture
def two_sessions(warehouse: Warehouse, project: str) -> str:
    """A project with a session where one call failed its tool and the root, and one where two calls did so alone."""
    put_world(
        warehouse,
        trace(project, "deep", 1, failure_count=1, error_count=3, status="error"),
        trace(project, "deep", 2, at=60),
        trace(project, "flat", 3, failure_count=2, error_count=2),
    )
    return project


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("sessions", "session_id", {"deep": (1, 3, True), "flat": (2, 2, True)}),
        (
            "traces",
            "trace_id",
            {f"{1:032x}": (1, 3, True), f"{2:032x}": (0, 0, False), f"{3:032x}": (2, 2, True)},
        ),
    ],
)
def test_lists_have_both_numbers_and_sort_by_failures(
    api: Api, two_sessions: str, path: str, name: str, expected: dict[str, tuple[object, ...]]
) -> None:
    found = api.all_rows(path, project=two_sessions, sort="failure_count", order="desc", limit=1)
    assert {row[name]: tuple(row[number] for number in NUMBERS) for row in found} == expected
    failures = [row["failure_count"] for row in found]
    assert failures == sorted(failures, reverse=True)


def test_a_session_sums_both_up(api: Api, two_sessions: str) -> None:
    header = api.get("session", id="deep", project=two_sessions)
    assert (header["failure_count"], header["error_count"]) == (1, 3)
    cards = api.all_rows("session/traces", id="deep", project=two_sessions)
    assert [(card["failure_count"], card["error_count"]) for card in cards] == [(1, 3), (0, 0)]


@pytest.mark.parametrize("kind", ["sessions", "traces"])
def test_the_histogram_counts_failures(api: Api, two_sessions: str, kind: str) -> None:
    buckets = api.get("histogram", project=two_sessions, kind=kind)["buckets"]
    assert sum(bucket["errors"] for bucket in buckets) == 3


def test_pages_show_failures_and_say_how_many_spans_failed(warehouse: Warehouse, two_sessions: str) -> None:
    guest = visitor(warehouse)
    listed = guest.get(f"/sessions?range=all&project={two_sessions}&sort=failure_count&order=desc").text
    assert re.findall(r'data-label="Errors"><data value="(\d+)"', listed) == ["2", "1"]
    page = guest.get(f"/session?id=deep&project={two_sessions}").text
    assert re.search(
        r'<dt>Errors</dt><dd class="bad" title="3 spans have the status error"><data value="1"', page
    )
    assert "1 error<" in page  # on the trace's card
