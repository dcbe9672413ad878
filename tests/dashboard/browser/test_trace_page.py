"""The trace page in a browser: the tree, the waterfall, the panel, keys, 10,000 spans."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.accessible import violations
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.detail import send_everything, trace_url
from tests.dashboard.browser.load import BIG_SPANS, BIG_TRACE

RICH_TRACE = 0xA101
FAILED_TRACE = 0xA105

SMOOTH = 1.0
"""Seconds that the slowest frame may take; the usual one takes a hundredth. The machine of the tests is shared."""


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    send_everything(stack.url, stack.otlp_url)
    return stack.url


def test_the_tree_and_the_waterfall_show_every_span(page: Page, url: str) -> None:
    page.goto(trace_url(url, RICH_TRACE))
    lines = page.get_by_role("treeitem")
    expect(lines).to_have_count(4)
    expect(lines.nth(1)).to_contain_text("chat gpt-4o-mini")
    expect(lines.nth(1)).to_contain_text("1,200 → 600")
    expect(lines.nth(2)).to_have_attribute("aria-level", "2")
    bars = page.locator(".track .bar").evaluate_all(
        "bars => bars.map(bar => [parseFloat(bar.style.left), parseFloat(bar.style.width)].map(Math.round))"
    )
    assert bars == [[0, 100], [0, 30], [33, 10], [50, 45]]


def test_the_panel_shows_messages_attributes_events_resource_and_raw_json(page: Page, url: str) -> None:
    page.goto(trace_url(url, RICH_TRACE))
    page.get_by_role("treeitem").nth(3).click()
    panel = page.locator("#panel")
    expect(panel.locator(".turn")).to_have_count(5)
    expect(panel.locator(".turn.assistant .tool-head").first).to_contain_text("find_order")
    expect(panel.locator(".turn.tool .j-key").first).to_have_text("order:")
    assert f"span={RICH_TRACE * 16 + 3:016x}" in page.url
    panel.get_by_role("tab", name="Attributes").click()
    expect(panel.locator(".pairs dt", has_text="gen_ai.operation.name")).to_be_visible()
    expect(panel.locator(".turn").first).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("tab", name="Events")).to_be_focused()
    panel.get_by_role("tab", name="Resource").click()
    expect(panel.locator("[id^=pane-Resource]")).to_contain_text("service.name")
    panel.get_by_role("tab", name="Raw").click()
    expect(panel.locator("pre.raw")).to_contain_text('"span_id": ')
    page.get_by_role("treeitem").nth(2).click()
    expect(panel.locator("h2")).to_have_text("find_order")
    expect(panel.locator("pre.raw")).to_contain_text('"name": "find_order"')


def test_where_the_values_come_from_is_fetched_when_it_is_looked_at(page: Page, url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/explanation" in request.url else None)
    page.goto(trace_url(url, RICH_TRACE))
    page.get_by_role("treeitem").nth(3).click()
    panel = page.locator("#panel")
    expect(panel.locator(".turn")).to_have_count(5)
    assert asked == []
    panel.get_by_role("tab", name="Origins").click()
    origins = panel.locator("[id^=pane-Origins]")
    expect(origins.locator("dt", has_text="input_tokens")).to_be_visible()
    expect(origins).to_contain_text("gen_ai.usage.input_tokens")
    expect(origins).to_contain_text("its tokens count")
    expect(origins.locator(".notice")).to_have_count(0)
    assert len(asked) == 1
    panel.get_by_role("tab", name="Raw").click()
    panel.get_by_role("tab", name="Origins").click()
    assert len(asked) == 1
    assert violations(page) == []


def test_errors_have_their_stack_trace_and_n_goes_to_the_next(page: Page, url: str) -> None:
    page.goto(trace_url(url, FAILED_TRACE, FAILED_TRACE * 16 + 1))
    expect(page.locator(".failure")).to_have_count(0)
    page.keyboard.press("n")
    expect(page.locator(".failure pre.stack")).to_contain_text('File "/app/pay.py", line 7, in charge')
    expect(page.locator(".failure")).to_contain_text("app.pay.CardDeclined")


def test_the_keyboard_is_enough(page: Page, url: str) -> None:
    page.goto(trace_url(url, RICH_TRACE))
    tree = page.get_by_role("tree")
    tree.focus()
    selected = page.locator("[role=treeitem][aria-selected=true]")
    expect(selected).to_contain_text("support turn")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treeitem")).to_have_count(1)
    expect(selected).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("treeitem")).to_have_count(4)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(selected).to_contain_text("find_order")
    expect(page.locator("#panel h2")).to_have_text("find_order")
    line = selected.get_attribute("id")
    assert tree.get_attribute("aria-activedescendant") == line
    page.keyboard.press("End")
    expect(selected).to_contain_text("chat")
    page.keyboard.press("ArrowLeft")
    expect(selected).to_contain_text("support turn")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(tree).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("find")
    expect(page.locator(".line.hit")).to_have_count(1)
    expect(page.get_by_role("treeitem")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(selected).to_contain_text("find_order")


def test_10000_spans_stay_smooth(page: Page, url: str) -> None:
    page.goto(trace_url(url, BIG_TRACE))
    tree = page.get_by_role("tree")
    expect(page.get_by_role("treeitem").first).to_be_visible()
    assert page.evaluate("document.querySelector('.tree-spacer').clientHeight") == BIG_SPANS * 28
    slowest = page.evaluate(
        """async () => {
            const tree = document.getElementById("tree");
            let slowest = 0;
            let before = performance.now();
            for (let step = 0; step < 60; step++) {
                tree.scrollTop += 4000;
                await new Promise(requestAnimationFrame);
                const now = performance.now();
                slowest = Math.max(slowest, now - before);
                before = now;
            }
            return slowest / 1000;
        }"""
    )
    assert slowest < SMOOTH
    assert page.get_by_role("treeitem").count() < 100
    tree.focus()
    page.keyboard.press("End")
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_contain_text(f"span {BIG_SPANS}")
    page.keyboard.press("Home")
    page.get_by_role("button", name="Next error").click()
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_contain_text("span 1000")
    page.get_by_label("Find spans").fill("span 9999")
    expect(page.get_by_role("treeitem")).to_have_count(3)


def test_a_link_to_a_span_opens_it_in_sight(page: Page, url: str) -> None:
    page.goto(trace_url(url, BIG_TRACE, 7_777))
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_be_in_viewport()
    expect(page.locator("#panel h2")).to_have_text("span 7777")


def test_it_reads_without_scripts(new_page: NewPage, url: str) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(trace_url(url, RICH_TRACE))
    expect(page.locator(".tree-table tbody tr")).to_have_count(4)
    page.locator(".tree-table a").nth(2).click()
    expect(page.locator("#panel h2")).to_have_text("find_order")
    expect(page.locator("#panel")).to_contain_text("service.name")


def test_a_narrow_screen_needs_no_scrolling_sideways(new_page: NewPage, url: str) -> None:
    page = new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.goto(trace_url(url, FAILED_TRACE))
    expect(page.get_by_role("treeitem")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("treeitem").nth(1).click()
    expect(page.locator("#panel h2")).to_have_text("chat gpt-4o-mini")


def test_what_fails_says_so_and_recovers(new_page: NewPage, url: str) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(trace_url(url, RICH_TRACE))
    page.route("**/spans/*", lambda route: route.abort())
    page.get_by_role("treeitem").nth(2).click()
    expect(page.locator("#panel [role=alert]")).to_contain_text("does not answer")
    assert violations(page) == []
    page.unroute("**/spans/*")
    page.get_by_text("Try again").click()
    expect(page.locator("#panel h2")).to_have_text("find_order")
