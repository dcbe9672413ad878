"""The lists of sessions and traces in a browser, over the recorded conversations."""

from __future__ import annotations

import re
import secrets
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.captures_truth import captures
from tests.dashboard.browser.accessible import violations
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span
from tests.docs.generated import ROOT

ROWS = "table.list tbody tr"


def row_of(page: Page, name: str) -> Locator:
    return page.locator(ROWS).filter(has=page.get_by_role("link", name=name, exact=True)).first


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_every_session_is_there_with_its_numbers(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/")
    row = row_of(page, "conv-1")
    for text in (
        "Where is my order 1234?",
        "984 → 416 (1,400)",
        "$0.000392",
        "131 ms",
        "alice",
        "beta",
        "support",
    ):
        expect(row).to_contain_text(text)
    assert row.locator("[data-label=Traces]").inner_text() == "5"
    assert row.locator("[data-label='LLM calls']").inner_text() == "4"
    assert row.locator("[data-label=Errors]").inner_text() == "1"
    assert "input" in (row.locator("[data-label=Cost] data").get_attribute("title") or "")
    assert "active" in (row.locator("[data-label=Duration] data").get_attribute("title") or "")
    assert re.search(r"\d{4}.*CET", row.locator("time").first.get_attribute("title") or "")


def test_columns_sort_both_ways_and_the_address_says_so(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.get_by_role("link", name="Cost").click()
    assert query(page)["sort"] == ["total_cost"]
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Cost")

    def costs() -> list[float]:
        return [
            float(each.get_attribute("value") or 0) for each in page.locator("[data-label=Cost] data").all()
        ]

    assert costs() == sorted(costs(), reverse=True)
    page.get_by_role("link", name="Cost").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Cost")
    assert costs() == sorted(costs())


@pytest.mark.parametrize("path", ["sessions", "traces"])
def test_every_column_can_be_sorted_by(stack: Stack, page: Page, path: str) -> None:
    page.goto(f"{stack.url}/{path}")
    for head in [link.inner_text().strip("↓↑\n ") for link in page.locator("thead a").all()]:
        page.locator("thead a", has_text=re.compile(f"^{re.escape(head)}")).first.click()
        expect(page.locator("th[aria-sort]")).to_contain_text(head)
        assert page.locator(ROWS).count() > 5


def test_free_text_finds_inputs_and_outputs(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.keyboard.press("/")
    page.keyboard.type("MY ORDER 1234")
    page.keyboard.press("Enter")
    expect(page.locator(ROWS)).to_have_count(2)
    assert query(page) == {"q": ["MY ORDER 1234"]}
    page.get_by_role("link", name="Remove the filter text").click()
    assert query(page) == {}


def test_filters_come_from_the_panel_with_what_there_is_to_choose(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions?sort=total_cost")
    page.get_by_text("Filters", exact=True).click()
    expect(page.locator("#values-tags option[value=beta]")).to_have_count(1)
    expect(page.locator("#values-users option[value=alice]")).to_have_count(1)
    page.get_by_label("Tag", exact=True).fill("beta")
    page.get_by_label("User", exact=True).fill("alice")
    page.get_by_label("Tokens, at least").fill("100")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(ROWS)).to_have_count(1)
    assert query(page) == {"sort": ["total_cost"], "tag": ["beta"], "user": ["alice"], "min_tokens": ["100"]}
    expect(page.locator(".chips")).to_contain_text("tokens ≥ 100")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Tag", exact=True).fill("support")
    page.keyboard.press("Enter")
    page.wait_for_url("**tag=support*")
    assert query(page)["tag"] == ["beta", "support"]
    page.get_by_text("Clear all").click()
    assert query(page) == {"sort": ["total_cost"]}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("session_id=ONV-1", {"conv-1", "js-conv-1", "pyai-conv-1"}),
        ("status=error", {"conv-1"}),
        ("min_traces=5", {"conv-1"}),
        ("max_traces=1&user=dave", {"tl-2"}),
        ("min_duration=0.2&max_duration=1", {"pyai-conv-1"}),
        ("tag=lf&tag=story&user=erin", {"lf-chat-1", "lf-chat-2"}),
    ],
)
def test_filters_of_sessions(stack: Stack, page: Page, wanted: str, expected: set[str]) -> None:
    page.goto(f"{stack.url}/sessions?range=all&limit=200&{wanted}")
    # Other modules' tests have sessions of their own on this stack.
    assert set(page.locator(f"{ROWS} th a").all_inner_texts()) & recorded_sessions() == expected


def recorded_sessions() -> set[str]:
    """The sessions of the recordings that the stack sends as its sample."""
    samples = {folder.name for folder in (ROOT / "spanloom" / "samples").iterdir()}
    return {
        session for capture in captures() if capture.name in samples for session in capture.truth["sessions"]
    }


def test_a_tag_and_a_user_in_a_row_are_filters(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.locator("a.tag", has_text="beta").first.click()
    assert query(page) == {"tag": ["beta"]}
    page.locator("[data-label=User] a", has_text="bob").first.click()
    assert query(page) == {"tag": ["beta"], "user": ["bob"]}


def test_the_tabs_keep_range_and_filters(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions?range=7d&user=alice&sort=trace_count")
    page.get_by_role("link", name="Traces", exact=True).first.click()
    assert urlsplit(page.url).path == "/traces"
    assert query(page) == {"range": ["7d"], "user": ["alice"]}
    expect(page.locator(ROWS).first).to_contain_text("alice")
    expect(page.locator(ROWS, has_text="failing_turn").locator(".status")).to_have_text("error")


def test_a_click_on_a_row_opens_it(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    row_of(page, "conv-2").locator("[data-label=Duration]").first.click()
    page.wait_for_url("**/session?id=*")
    assert query(page)["project"] == ["default"]


def test_a_range_of_ones_own_is_in_the_browsers_zone_and_the_address_in_utc(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.get_by_text("Custom").click()
    expect(page.locator("[data-zone]").first).to_have_text("Europe/Berlin")
    page.locator("#custom-range input[name=from]").fill("2026-01-31T01:30:00")
    page.locator("#custom-range input[name=to]").fill("2026-01-31T12:00:00")
    page.get_by_role("button", name="Show").click()
    assert query(page) == {"from": ["2026-01-31T00:30:00.000Z"], "to": ["2026-01-31T11:00:00.000Z"]}
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    expect(page.locator("#custom-range summary")).to_contain_text("31 Jan 2026, 01:30:00")
    page.locator("#custom-range summary").click()
    expect(page.locator("#custom-range input[name=from]")).to_have_value("2026-01-31T01:30")


@pytest.mark.parametrize("path", ["sessions", "traces"])
def test_a_clock_that_is_ahead_is_marked_and_tops_no_list(stack: Stack, page: Page, path: str) -> None:
    mine = f"clocks-{secrets.token_hex(4)}"
    send(stack.otlp_url, span(f"{mine}-ahead", ago=-7500))
    page.goto(f"{stack.url}/{path}?session_id={mine}")
    row = page.locator(ROWS, has_text=f"{mine}-ahead")
    expect(row).to_be_visible(timeout=20_000)
    started = row.locator("[data-label=Started] time")
    expect(started).to_have_text(re.compile(r"^in 2.?h"))
    expect(started).to_have_class("ahead")
    expect(started).to_have_attribute("title", re.compile(r"\d{4}.*CET, ahead of the clock here$"))
    send(stack.otlp_url, span(f"{mine}-right"))
    expect(page.locator(ROWS)).to_have_count(2, timeout=20_000)
    expect(page.locator(ROWS).first).to_contain_text(f"{mine}-right")
    right = page.locator(ROWS).first.locator("[data-label=Started] time")
    expect(right).not_to_have_class(re.compile("ahead"))
    assert violations(page) == []


def test_a_preset_reaches_back(stack: Stack, page: Page) -> None:
    old = f"old-{secrets.token_hex(4)}"
    send(stack.otlp_url, span(old, ago=3 * 86_400))
    page.goto(f"{stack.url}/sessions?session_id={old}")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("navigation", name="Range").get_by_role("link", name="7d").click()
    expect(page.locator(ROWS)).to_have_count(1, timeout=15_000)  # the page refreshes itself until it is there


def test_the_histogram_reads_out_and_zooms(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    chart = page.locator("svg.bars.count")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 20)
    expect(page.locator("[data-readout]")).to_contain_text(re.compile(r"\d+ sessions, \$[\d.]+, \d+ errors"))
    page.mouse.move(10, 10)
    chart.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-readout]")).to_contain_text("sessions")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=*")
    assert set(query(page)) == {"from", "to"}


def test_paging_goes_on_without_a_cap_and_without_a_gap(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/traces?range=all&sort=trace_id&order=asc&limit=10")
    expect(page.locator(ROWS)).to_have_count(10)
    total = int(re.search(r"of (\d+)", page.locator(".pager").inner_text()).group(1))  # type: ignore[union-attr]
    while page.locator("a[data-more]").count():
        before = page.locator(ROWS).count()
        page.locator("a[data-more]").click()
        expect(page.locator(ROWS)).not_to_have_count(before)
    ids = [each.get_attribute("title") or "" for each in page.locator("[data-label='Trace ID'] a").all()]
    assert len(ids) >= total
    assert ids == sorted(set(ids))


def test_without_scripts_everything_is_there_but_the_refresh(stack: Stack, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{stack.url}/sessions?limit=5&sort=session_id&order=asc")
    expect(page.locator(ROWS)).to_have_count(5)
    first = page.locator(ROWS).first.inner_text()
    page.get_by_role("link", name="Show more").click()
    assert page.locator(ROWS).first.inner_text() != first
    page.get_by_role("link", name="Back to the first").click()
    assert page.locator(ROWS).first.inner_text().split("\n")[0] == first.split("\n")[0]
    page.locator("input[name=q]").fill("order")
    page.locator("input[name=q]").press("Enter")
    assert query(page)["q"] == ["order"]
    expect(page.locator("td time").first).to_contain_text("ago")
