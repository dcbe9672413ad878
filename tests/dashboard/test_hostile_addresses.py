"""Whatever an address holds, it is answered or refused with a reason: it never ends in a failure of the dashboard."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor, visitor
from tests.dashboard.world import put_world, trace

PATHS = (
    *("/sessions", "/traces", "/histogram", "/facets", "/projects", "/session", "/session/traces"),
    *("/session/timeline", "/session/search", "/session/cards", "/login", "/"),
)

NAMES = (
    *("project", "from", "to", "q", "session_id", "user", "tag", "model", "service", "status", "metadata"),
    *(
        "min_traces",
        "max_traces",
        "min_duration",
        "max_duration",
        "min_tokens",
        "max_tokens",
        "min_cost",
        "max_cost",
    ),
    *(
        "order",
        "limit",
        "cursor",
        "sort",
        "kind",
        "id",
        "type",
        "range",
        "view",
        "after",
        "span",
        "next",
        "other",
    ),
)

WORDS = (
    *(
        b"0",
        b"1",
        b"-1",
        b"1e400",
        b"NaN",
        b"inf",
        b"9" * 5000,
        b"1_0",
        "٣".encode(),
        b"true",
        b"null",
        b"a=b",
        b"=",
    ),
    *(
        b"2026-02-30",
        b"9999-12-31T23:59:59.999999999Z",
        b"0001-01-01",
        b"2026-01-01T00:00:00+23:59",
        b"1h",
        b"all",
    ),
    *(
        b"\0",
        b"a\0b",
        b"\xed\xa0\x80",
        b"\xff",
        "\N{COMBINING ACUTE ACCENT}".encode(),
        "\u202e".encode(),
        b"%",
        b"_",
    ),
    *(
        b"\\",
        b"\\x",
        b"'",
        b"{id:String}",
        b"*?[(",
        b"x" * 9000,
        b"cost",
        b"traces",
        b"sessions",
        b"asc",
        b"error",
    ),
    *(
        b"mine",
        b"total_cost",
        b"start_time",
        b"input",
        b"failure_count",
        b"timeline",
        b"//evil.example",
        b"/login",
    ),
)

LISTS = {
    "cards": "/session/traces?id=mine&project=p",
    "timeline": "/session/timeline?id=mine&project=p",
    "search": "/session/search?id=mine&project=p&q=a",
    **{
        f"{kind} {sort} {order}": f"/{kind}?sort={sort}&order={order}"
        for kind in ("sessions", "traces")
        for sort in ("start_time", "input", "total_cost")
        for order in ("asc", "desc")
    },
}
"""The lists that cursors belong to, and their addresses."""

_KEYS: st.SearchStrategy[Any] = st.one_of(
    st.integers(-(2**130), 2**130),
    st.sampled_from(["\ud800", "a\0b", "\\N", "\\", "'", "\t", "", "9" * 500]),
    st.text(st.characters(), max_size=20),
    st.sampled_from([None, True, 0.5, [], {}]),
)


def packed(text: str) -> bytes:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=")


@st.composite
def forged(draw: st.DrawFn, name: str) -> bytes:
    """A cursor that nobody was given."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=50))
    if kind == 1:
        broken = ("[" * 5000, '{"a":' * 1400, '"a"', "[]", "1", f'["{name}",' + "9" * 5000 + ',1,""]')
        return packed(draw(st.sampled_from(broken)))
    size = 2 if name.startswith("sessions ") else 3
    return packed(json.dumps([name, *draw(st.lists(_KEYS, min_size=size, max_size=size))]))


VALUES = st.one_of(st.sampled_from(WORDS), st.binary(max_size=20), st.text(max_size=10).map(str.encode))
PARAMETERS = st.one_of(
    st.tuples(st.sampled_from(NAMES), VALUES),
    st.tuples(st.sampled_from(["q", "session_id", "user", "tag", "model", "service"]), VALUES),
    st.tuples(st.just("metadata"), VALUES.map(lambda value: b"a=" + value)),
)
SEGMENTS = st.one_of(
    st.just(f"{1:032x}".encode()),
    st.just(b"0" * 16),
    st.sampled_from(WORDS),
    st.binary(min_size=1, max_size=20),
)


@pytest.fixture(scope="module")
def dashboard(warehouse: Warehouse) -> Visitor:
    put_world(warehouse, trace("p", "mine", 1), trace("p", "mine", 2, at=60), trace("p", "yours", 3))
    return visitor(warehouse)


def status(dashboard: Visitor, path: str, parameters: list[tuple[str, bytes]]) -> tuple[int, str]:
    query = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in parameters)
    answer = dashboard.get(f"{path}?{query}"[:60_000])
    return answer.status_code, answer.text[:300]


@pytest.mark.parametrize("name", LISTS)
def test_no_forged_cursor_fails(dashboard: Visitor, name: str) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(["", "/api"]), forged(name))
    def check(above: str, cursor: bytes) -> None:
        address = LISTS[name] if above else LISTS[name].replace("/session/traces", "/session/cards")
        answer = dashboard.get(f"{above}{address}&cursor={quote_from_bytes(cursor)}")
        assert answer.status_code in (200, 303, 422), answer.text[:300]

    check()


@pytest.mark.parametrize("cursor", [packed("[" * 5000), packed('["cards",1,1,"\\ud800"]'), b"\xed\xa0\x80"])
def test_a_forged_cursor_is_told_so(dashboard: Visitor, cursor: bytes) -> None:
    answer = dashboard.get(f"/api/session/traces?id=mine&project=p&cursor={quote_from_bytes(cursor)}")
    assert answer.status_code == 422
    assert "ask for the first page again" in answer.json()["error"]


def test_no_query_fails(dashboard: Visitor) -> None:
    @settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["", "/api"]), st.sampled_from(PATHS), st.lists(PARAMETERS, max_size=4), st.booleans()
    )
    def check(above: str, path: str, parameters: list[tuple[str, bytes]], of_a_session: bool) -> None:
        given: list[tuple[str, Any]] = (
            [("id", b"mine")] if of_a_session and path.startswith("/session") else []
        )
        answered, text = status(dashboard, above + path, [*given, *parameters])
        assert answered < 500, text

    check()


def test_no_path_fails(dashboard: Visitor) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(
            [
                "/traces/{}",
                "/traces/{}/spans/{}",
                "/traces/{}/spans/{}/explanation",
                "/static/{}/{}",
                "/{}/{}",
            ]
        ),
        st.sampled_from(["", "/api"]),
        SEGMENTS,
        SEGMENTS,
        st.lists(PARAMETERS, max_size=2),
    )
    def check(
        path: str, above: str, first: bytes, second: bytes, parameters: list[tuple[str, bytes]]
    ) -> None:
        place = above + path.format(quote_from_bytes(first, safe=""), quote_from_bytes(second, safe=""))
        answered, text = status(dashboard, place, parameters)
        assert answered < 500, text

    check()
