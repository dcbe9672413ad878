"""At home everywhere: light and dark, keyboard, narrow screens, the browser's language and zone."""

from __future__ import annotations

import json
import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span

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


@pytest.fixture(scope="module")
def three_hours_old(stack: Stack) -> str:
    """The address of a list with one session."""
    mine = f"old-{secrets.token_hex(4)}"
    send(stack.otlp_url, span(mine, ago=3 * 3600 + 60))
    return f"{stack.url}/sessions?session_id={mine}"


@pytest.mark.parametrize(
    "locale", ["ar-EG", "de-CH", "fa-IR", "fr-FR", "hi-IN", "ja-JP", "th-TH", "tr-TR", "zh-Hant-TW"]
)
def test_times_are_relative_in_every_language(new_page: NewPage, three_hours_old: str, locale: str) -> None:
    page = new_page(locale=locale)
    page.goto(three_hours_old)
    started = page.locator(f"{ROWS} [data-label=Started] time")
    expect(started).to_be_visible(timeout=20_000)
    form = "locale => new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'narrow' }).format(-3, 'hour')"
    expect(started).to_have_text(page.evaluate(form, locale))


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (["en-US@posix"], r"^3.?h.* ago$"),
        (["en-US@posix", "de-DE"], r"^vor 3"),
        (["en_US", "", "x-klingon", "de", "en"], r"^vor 3"),
        ([], r"^3.?h.* ago$"),
    ],
)
def test_a_language_that_is_none_breaks_no_times(
    new_page: NewPage, three_hours_old: str, languages: list[str], expected: str
) -> None:
    page = new_page()
    page.add_init_script(
        f"Object.defineProperty(Navigator.prototype, 'languages', {{ get: () => {json.dumps(languages)} }})"
    )
    page.goto(three_hours_old)
    started = page.locator(f"{ROWS} [data-label=Started] time")
    expect(started).to_have_text(re.compile(expected), timeout=20_000)
    expect(started).to_have_attribute("title", re.compile(r"\d{4}.*(CET|MEZ)"))


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
