"""How the address of a list is read, and where its controls lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.api.errors import BadQuery
from spanloom.dashboard.api.parameters import SessionsQuery
from spanloom.dashboard.pages.view import View, read_view

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def view(text: str = "") -> View[SessionsQuery]:
    return read_view("/sessions", SessionsQuery, parse_qsl(text, keep_blank_values=True), NOW)


def test_without_anything_it_is_the_last_day() -> None:
    assert view().query.since == NOW - timedelta(days=1)
    assert view().query.until is None
    assert view().range == "24h"


def test_a_preset_is_counted_back_from_now_and_all_has_no_beginning() -> None:
    assert view("range=7d").query.since == NOW - timedelta(days=7)
    assert view("range=all").query.since is None


def test_a_range_of_ones_own_wins_over_a_preset() -> None:
    chosen = view("range=7d&from=2026-01-01T00:00:00Z")
    assert (chosen.range, chosen.query.since) == ("", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("range=8d", "There is no range '8d': use one of 15m, 1h, 6h, 24h, 7d, 30d, 90d, all"),
        ("from=nonsense", "The parameter 'from' is wrong"),
        ("from=2026-01-02&to=2026-01-01", "The range ends before it begins"),
        ("sort=colour", "The parameter 'sort' is wrong"),
        ("min_tokens=-1", "The parameter 'min_tokens' is wrong"),
        ("limit=0", "The parameter 'limit' is wrong"),
        ("metadata=nothing", "must look like key=value"),
        ("colour=red", "There is no parameter 'colour'"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadQuery) as raised:
        view(text)
    assert sentence in str(raised.value)


def test_blank_fields_of_a_form_count_as_absent() -> None:
    assert view("q=&user=+&status=").given == ()


def test_every_change_leads_to_the_first_page() -> None:
    chosen = view("user=ada&cursor=abc&sort=total_cost&order=desc")
    for address in (
        chosen.to(user=None),
        chosen.in_range("1h"),
        chosen.sorted_by("user_id", "asc"),
        chosen.adding("tag", "a"),
        chosen.elsewhere("/traces"),
        chosen.cleared(),
        chosen.chips()[0].without,
    ):
        assert "cursor" not in address


def test_a_click_on_the_sorted_column_turns_the_order_round() -> None:
    assert view("sort=total_cost&order=desc").sorted_by("total_cost", "desc").endswith("order=asc")
    assert view("sort=total_cost&order=asc").sorted_by("total_cost", "desc").endswith("order=desc")
    assert view("sort=total_cost&order=asc").sorted_by("user_id", "asc").endswith("sort=user_id&order=asc")
    assert view().sorted_by("end_time", "desc").endswith("order=asc"), "it is sorted so by default"


def test_chips_say_each_filter_and_lead_to_where_it_is_gone() -> None:
    chosen = view("range=7d&tag=a&tag=b&min_cost=0.5&q=hi")
    assert [(chip.name, chip.value) for chip in chosen.chips()] == [
        ("tag", "a"),
        ("tag", "b"),
        ("cost", "≥ 0.5 USD"),
        ("text", "hi"),
    ]
    assert chosen.chips()[1].without == "/sessions?range=7d&tag=a&min_cost=0.5&q=hi"


@given(
    st.dictionaries(
        st.sampled_from(["q", "user", "session_id"]),
        st.text(_CHARACTERS, max_size=20),
    ),
    st.lists(
        st.text(_CHARACTERS, min_size=1, max_size=10),
        max_size=3,
    ),
)
def test_any_text_survives_its_address(fields: dict[str, str], tags: list[str]) -> None:
    pairs = [*fields.items(), *(("tag", tag) for tag in tags)]
    chosen = read_view("/sessions", SessionsQuery, pairs, NOW)
    again = parse_qsl(urlsplit(chosen.to()).query, keep_blank_values=True)
    assert tuple(again) == chosen.given == tuple(pair for pair in pairs if pair[1].strip())
