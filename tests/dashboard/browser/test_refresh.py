"""The list refreshes itself without jumping."""

from __future__ import annotations

import secrets

from playwright.sync_api import Page, expect

from tests.dashboard.browser.accessible import violations
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span

ROWS = "table.list tbody tr"


def test_a_new_session_appears_by_itself(stack: Stack, page: Page) -> None:
    mine = f"new-{secrets.token_hex(4)}"
    page.goto(f"{stack.url}/sessions")
    expect(page.locator(ROWS).first).to_be_visible()
    send(stack.otlp_url, span(mine))
    expect(page.locator(ROWS).first).to_contain_text(mine, timeout=20_000)
    send(stack.otlp_url, span(mine), span(mine))
    expect(page.locator(ROWS).first.locator("[data-label=Traces]")).to_have_text("3", timeout=20_000)


def test_what_is_looked_at_stays_where_it_is(stack: Stack, page: Page) -> None:
    mine = f"held-{secrets.token_hex(4)}"
    page.goto(f"{stack.url}/sessions")
    row = page.locator(ROWS).nth(2)
    looked_at = row.get_attribute("data-key")
    row.hover()
    before = row.bounding_box()
    send(stack.otlp_url, span(mine))
    pill = page.get_by_role("button", name="The list has changed")
    expect(pill).to_be_visible(timeout=20_000)
    assert page.locator(ROWS).nth(2).get_attribute("data-key") == looked_at
    assert row.bounding_box() == before
    assert violations(page) == []
    pill.click()
    expect(page.locator(ROWS).first).to_contain_text(mine)
    expect(pill).to_have_count(0)


def test_a_known_row_gets_its_new_numbers_in_place(stack: Stack, page: Page) -> None:
    first, second = (f"place-{secrets.token_hex(4)}" for _ in range(2))
    send(stack.otlp_url, span(first), span(second, ago=0.5))
    page.goto(f"{stack.url}/sessions?session_id=place-&sort=session_id")
    row = page.locator(ROWS, has_text=first)
    expect(row).to_be_visible(timeout=20_000)
    row.hover()
    send(stack.otlp_url, span(first))
    expect(row.locator("[data-label=Traces]")).to_have_text("2", timeout=20_000)
    assert page.get_by_role("button", name="The list has changed").count() == 0


def test_scrolled_down_nothing_moves(stack: Stack, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1440, "height": 500})
    page.goto(f"{stack.url}/traces?range=all")
    page.mouse.move(5, 5)
    page.evaluate("scrollTo(0, 600)")
    send(stack.otlp_url, span(f"scrolled-{secrets.token_hex(4)}"))
    expect(page.get_by_role("button", name="The list has changed")).to_be_visible(timeout=20_000)
    assert page.evaluate("scrollY") == 600


def test_live_can_be_switched_off_and_stays_off(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)  # longer than a refresh takes to come
    assert asked == []
