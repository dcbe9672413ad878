"""The session page and the trace page for people who see little, or use no mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.dashboard.browser.accessible import faults, reachable
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.contrast import too_faint
from tests.dashboard.browser.detail import send_everything, session_url, trace_url
from tests.dashboard.browser.load import RICH

schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    send_everything(stack.url, stack.otlp_url)
    return stack.url


@schemes
def test_the_session_page_has_contrast_names_and_order(new_page: NewPage, url: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(session_url(url, RICH, view="timeline", q="order"))
    expect(page.locator("#found mark").first).to_be_visible()
    page.locator(".filters > summary").click()
    page.locator("details.menu > summary").first.click()
    assert faults(page) + too_faint(page) == []


@schemes
def test_the_trace_page_has_contrast_names_and_order(new_page: NewPage, url: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    for trace, span in ((0xA104, 3), (0xA105, 0)):
        page.goto(trace_url(url, trace, trace * 16 + span))
        expect(page.get_by_role("treeitem").first).to_be_visible()
        for summary in page.locator("#panel details > summary").all():
            if summary.is_visible():
                summary.click()
        for tab in ("Messages", "Attributes", "Events", "Resource", "Raw"):
            page.get_by_role("tab", name=tab).click()
            assert faults(page) + too_faint(page) == []


def test_the_tab_key_reaches_everything_and_shows_where_it_is(new_page: NewPage, url: str) -> None:
    page = new_page()
    page.goto(session_url(url, RICH, view="timeline"))
    reached = reachable(page)
    for wanted in ("skip", "crumb-id", "timeline-toggle", "q", "bar"):
        assert wanted in reached
    page.goto(trace_url(url, 0xA101))
    reached = reachable(page)
    for wanted in ("tree-filter", "tree", "tab-Messages"):
        assert wanted in reached
    assert reached.count("tree") == 1
