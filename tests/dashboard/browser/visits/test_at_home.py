"""At home everywhere: light and dark, keyboard, narrow screens, the browser's language and zone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.conftest import NewPage, Stack

ROWS = "table.list tbody tr"


def test_the_theme_follows_the_system_until_the_button_says_otherwise(
    stack: Stack, new_page: NewPage
) -> None:
    page = new_page(color_scheme="dark")
    page.goto(f"{stack.url}/sessions")

    def dark() -> bool:
        shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", shade)[:3])) < 200

    assert dark()
    page.get_by_role("button", name="Switch between light and dark").click()
    assert not dark()
    page.reload()
    assert not dark()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280, 1440, 2560])
@pytest.mark.parametrize("path", ["/sessions", "/traces"])
def test_no_width_scrolls_sideways(stack: Stack, new_page: NewPage, width: int, path: str) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    page.goto(stack.url + path)
    expect(page.locator(ROWS).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_a_narrow_screen_each_value_says_what_it_is(stack: Stack, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{stack.url}/sessions?session_id=conv-1&max_traces=5&user=alice")
    cell = page.locator(f"{ROWS} td[data-label=Cost]").first
    assert (
        page.evaluate("cell => getComputedStyle(cell, '::before').content", cell.element_handle()) == '"Cost"'
    )
    page.get_by_text("Filters", exact=True).click()
    box = page.locator("#more-filters .panel").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_numbers_and_times_are_the_browsers(stack: Stack, new_page: NewPage) -> None:
    german = new_page(locale="de-DE", timezone_id="America/New_York")
    german.goto(f"{stack.url}/sessions?session_id=conv-1&user=alice")
    row = german.locator(ROWS).first
    expect(row).to_contain_text("984 → 416 (1.400)")
    expect(row).to_contain_text("0,000392")
    expect(row).to_contain_text("vor")
    assert re.search(r"GMT-[45]", row.locator("time").first.get_attribute("title") or "")


def test_the_keyboard_reaches_everything(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions?limit=5")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.ariaLabel")
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", reached[-1]
        if "Show more" in reached:
            break
    for part in ("Traces", "Filters", "7d", "Custom", "Live", "Cost", "Show more"):
        assert any(part in each for each in reached), (part, reached)


def test_a_panel_opens_and_closes_by_keyboard(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.get_by_text("Filters", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Session ID", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Session ID", exact=True)).to_be_hidden()
    expect(page.get_by_text("Filters", exact=True)).to_be_focused()
