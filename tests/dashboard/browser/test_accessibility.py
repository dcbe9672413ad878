"""The pages for people who see little, or use no mouse: light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.accessible import reachable, violations, violations_everywhere
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.detail import send_everything, session_url, trace_url
from tests.dashboard.browser.load import RICH

ROWS = "table.list tbody tr"
LISTS = ("/sessions?limit=10", "/traces?limit=10")
NARROW = (390,)


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    send_everything(stack.url, stack.otlp_url)
    return stack.url


def test_a_broken_rule_is_named_with_its_place_and_reason(page: Page) -> None:
    page.set_content(
        '<html lang="en"><title>x</title><main><h1>x</h1><p id="faint" style="color: #ccc">x y z</p>'
    )
    (line,) = violations(page)
    assert line.startswith("color-contrast: #faint: Element has insufficient color contrast of 1.6")


@pytest.mark.parametrize("path", LISTS)
def test_the_lists_break_no_rule(page: Page, url: str, path: str) -> None:
    page.goto(url + path)
    expect(page.locator(ROWS).first).to_be_visible()
    page.get_by_role("button", name="Live").click()  # off: nothing moves while it is looked at
    assert violations_everywhere(page) == []
    page.get_by_text("Filters", exact=True).click()
    assert violations_everywhere(page, NARROW) == []
    page.keyboard.press("Escape")
    page.locator("#custom-range > summary").click()
    assert violations_everywhere(page, NARROW) == []


@pytest.mark.parametrize(
    "path", ["/sessions?q=order&tag=beta", "/sessions?user=nobody", "/sessions?sort=colour", "/nowhere"]
)
def test_filters_nothing_and_failure_break_no_rule(new_page: NewPage, url: str, path: str) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(url + path)
    assert violations_everywhere(page, NARROW) == []


def test_the_session_page_breaks_no_rule(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH, view="timeline", q="order"))
    expect(page.locator("#found mark").first).to_be_visible()
    assert violations_everywhere(page) == []
    for summary in (".filters > summary", "details.menu > summary"):  # the second closes the first
        page.locator(summary).first.click()
        assert violations_everywhere(page, NARROW) == []


@pytest.mark.parametrize(("trace", "span"), [(0xA104, 3), (0xA105, 0)], ids=["messages", "an error"])
def test_the_trace_page_breaks_no_rule(page: Page, url: str, trace: int, span: int) -> None:
    page.goto(trace_url(url, trace, trace * 16 + span))
    expect(page.get_by_role("treeitem").first).to_be_visible()
    for summary in page.locator("#panel details:not(.picture) > summary").all():  # a picture covers the page
        if summary.is_visible():
            summary.click()
    assert violations_everywhere(page) == []
    for tab in ("Attributes", "Events", "Resource", "Raw"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Raw":
            expect(page.locator("pre.raw")).to_be_visible()
        assert violations_everywhere(page, NARROW) == []


def test_a_list_of_cards_is_still_a_table(new_page: NewPage, url: str) -> None:
    """Roles that stand in the HTML: what `display: block` takes away differs from browser to browser."""
    page = new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{url}/sessions?session_id=conv-1&user=alice")
    expect(page.locator("[role=table]")).to_match_aria_snapshot("""
      - table "Sessions, 1 in all":
        - rowgroup:
          - row:
            - columnheader "Session First input"
            - columnheader "Started"
            - columnheader "Last activity"
            - columnheader "Duration"
            - columnheader "Cost"
        - rowgroup:
          - row:
            - rowheader /conv-1/
            - cell /Started .+/
            - cell /Last activity .+/
            - cell "Duration 131 ms"
            - cell "Cost $0.000392"
    """)
    for path in LISTS:
        page.goto(url + path)
        heads = page.get_by_role("columnheader").count()
        # An empty value is out of sight and still a cell: without it, the next one would get its head.
        for row in page.get_by_role("row").all()[1:]:
            assert row.get_by_role("cell").count() == heads - 1


def test_the_tab_key_reaches_everything_and_shows_where_it_is(new_page: NewPage, url: str) -> None:
    page = new_page()
    page.goto(session_url(url, RICH, view="timeline"))
    reached = reachable(page)
    for wanted in ("skip", "crumb-id", "timeline-toggle", "q", "bar"):
        assert wanted in reached
    page.goto(trace_url(url, 0xA101))
    reached = reachable(page)
    for wanted in ("tree-filter", "tree", "tab-Messages-"):
        assert any(name.startswith(wanted) for name in reached)
    assert reached.count("tree") == 1
