"""Hostile texts in every field: nothing runs, nothing is loaded, nothing breaks the layout of the pages.

That no script errs, no dialog opens, the policy refuses nothing and no other host is asked, `new_page` watches.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.detail import send_everything, session_url, trace_url
from tests.dashboard.browser.load import HOSTILE_SESSION, HOSTILE_TRACES

FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    send_everything(stack.url, stack.otlp_url)
    return stack.url


def harmless(page: Page) -> None:
    """Nothing ran, nothing but the page's own is there to run, and links lead nowhere by scripts."""
    assert page.evaluate("window.pwned === undefined")
    assert page.evaluate(FITS)
    assert page.evaluate(
        """[...document.querySelectorAll("*")].every(element =>
            [...element.attributes].every(({ name }) => !/^on/.test(name)))"""
    )
    assert page.evaluate(
        """[...document.querySelectorAll("script")].every(script =>
            script.type === "application/json" || new URL(script.src).origin === location.origin)"""
    )
    assert page.evaluate(
        """[...document.querySelectorAll("a")].every(link =>
            ["http:", "https:", "mailto:", ""].includes(link.protocol || "") || link.closest("svg"))"""
    )
    assert page.evaluate(
        """[...document.querySelectorAll("img, iframe, object, embed, video, audio, link, base, form")].every(element =>
            !element.matches("iframe, object, embed, video, audio, base")
            && (!element.src || element.src.startsWith("data:image/png")
                || new URL(element.src).origin === location.origin))"""
    )


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_session_of_hostile_texts(new_page: NewPage, url: str, width: int, scheme: str) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(session_url(url, HOSTILE_SESSION, view="timeline", q="pwned"))
    for _ in range(8):
        page.mouse.wheel(0, 30_000)
        page.wait_for_timeout(150)
    expect(page.locator("article.card")).to_have_count(HOSTILE_TRACES)
    for selector in (".metadata > summary", ".more-values > summary", ".filters > summary"):
        for summary in page.locator(selector).all():
            summary.click()
    assert page.locator("#found mark").count() > 10
    assert page.locator("#timeline a.bar").count() == HOSTILE_TRACES
    harmless(page)
    assert "{{7*7}}${7*7}" in (page.locator("h1").text_content() or "")


def test_every_trace_of_hostile_texts(new_page: NewPage, url: str) -> None:
    page = new_page()
    for number in range(HOSTILE_TRACES):
        trace = 0xBAD00 + number
        page.goto(trace_url(url, trace))
        expect(page.get_by_role("treeitem")).to_have_count(2)
        harmless(page)
        page.get_by_role("treeitem").nth(1).click()
        panel = page.locator(f'.panel[data-span="{trace * 16 + 1:016x}"]')
        expect(panel).to_be_visible()
        for tab in ("Attributes", "Events", "Resource", "Raw", "Messages"):
            panel.get_by_role("tab", name=tab).click()
            assert page.evaluate(FITS)
        harmless(page)


def test_a_text_of_a_megabyte_unfolds(page: Page, url: str) -> None:
    page.goto(trace_url(url, 0xBAD00 + HOSTILE_TRACES - 3))
    io = page.locator("#panel .io").first
    io.locator(".fold > details > summary").click()
    io.locator(".rest > summary").click()
    assert len(io.locator(".text").text_content() or "") >= 2**20
    assert page.evaluate(FITS)


def test_the_session_id_is_copied_as_it_is(new_page: NewPage, url: str) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(session_url(url, HOSTILE_SESSION))
    page.get_by_title("Copy the session ID").click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == HOSTILE_SESSION
