"""Coming back to a list, going through it from page to page, and its keys."""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.accessible import violations_everywhere
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span
from tests.fixtures_local import wait_until

ROWS = "table.list tbody tr"
FOCUSED = f"{ROWS} th a:focus"
MANY = 30


@pytest.fixture(scope="module")
def mark(stack: Stack) -> str:
    """How the IDs of 30 sessions of one trace each begin; hostile ones are among them."""
    mark = f"place-{secrets.token_hex(4)}"
    ends = {3: " <b>\"'&", 4: "%2F?#=", 5: " שלום 🧵"}
    spans = [
        span(f"{mark}-{number:02}{ends.get(number, '')}", name=f"n{number:02}") for number in range(MANY)
    ]
    send(stack.otlp_url, *spans)
    address = f"{stack.url}/api/sessions?{urlencode({'session_id': mark, 'limit': 100})}"

    def arrived() -> bool:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return len(json.load(answer)["rows"]) == MANY

    wait_until(arrived, "all sessions", 60)
    return mark


def some(stack: Stack, mark: str, path: str = "sessions") -> str:
    sort = "session_id" if path == "sessions" else "name"
    asked = {"session_id": mark, "sort": sort, "order": "asc", "limit": 8, "range": "7d"}
    return f"{stack.url}/{path}?{urlencode(asked)}"


def open_list(page: Page, address: str, rows: int) -> None:
    """Open a list and load as many rows, 8 at a time; nothing refreshes it."""
    page.goto(address)
    expect(page.locator(ROWS)).to_have_count(8)
    page.get_by_role("button", name="Live").click()
    while (there := page.locator(ROWS).count()) < rows:
        page.locator("a[data-more]").click()
        expect(page.locator(ROWS)).not_to_have_count(there)


def top(page: Page, number: int) -> float:
    box = page.locator(ROWS).nth(number).bounding_box()
    assert box is not None
    return box["y"]


def at(page: Page, path: str, name: str) -> None:
    """Wait for the page of a session or trace."""
    expect(page.locator(".crumb-id" if path == "sessions" else "h1")).to_contain_text(name)
    expect(page.locator("table.list")).to_have_count(0)


@pytest.mark.parametrize("way", ["Back", "breadcrumb", "key"])
@pytest.mark.parametrize("path", ["sessions", "traces"])
def test_one_comes_back_to_the_same_rows_at_the_same_place(
    stack: Stack, page: Page, mark: str, path: str, way: str
) -> None:
    address = some(stack, mark, path)
    open_list(page, address, 24)
    page.locator(ROWS).nth(19).scroll_into_view_if_needed()
    page.mouse.wheel(0, 150)
    before = top(page, 19)
    link = page.locator(ROWS).nth(19).locator("th a")
    name = link.inner_text()
    link.click()
    page.wait_for_url(re.compile(r"/session\?|/traces/"))
    crumb = page.locator("a[data-list]")
    expect(crumb).to_have_text(path.title())
    assert crumb.evaluate("link => link.href") == address
    if way == "Back":
        page.go_back()
    elif way == "key":
        expect(page.locator("#siblings")).to_be_visible()
        page.keyboard.press("u")
    else:
        crumb.click()
    page.wait_for_url(address)
    expect(page.locator(ROWS)).to_have_count(24)
    expect(page.locator(FOCUSED)).to_have_text(name)
    expect(page.locator(ROWS).nth(19)).to_have_class(re.compile("opened"))
    assert abs(top(page, 19) - before) < 2
    page.locator("a[data-more]").click()  # it goes on as many at a time as before
    expect(page.locator(ROWS)).to_have_count(MANY)


def test_a_list_that_one_goes_to_anew_begins_at_the_top(stack: Stack, page: Page, mark: str) -> None:
    open_list(page, some(stack, mark), 24)
    page.locator(ROWS).nth(19).locator("th a").click()
    page.wait_for_url("**/session?*")
    page.goto(some(stack, mark))
    expect(page.locator(ROWS)).to_have_count(8)
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("path", ["sessions", "traces"])
def test_j_and_k_go_through_the_list_and_beyond_its_loaded_end(
    stack: Stack, page: Page, mark: str, path: str
) -> None:
    address = some(stack, mark, path)
    open_list(page, address, 8)
    names = [f"{mark}-{number:02}" if path == "sessions" else f"n{number:02}" for number in range(MANY)]
    page.locator(ROWS).nth(2).locator("th a").click()
    at(page, path, names[2])
    buttons = page.locator("#siblings")
    expect(buttons).to_be_visible()
    for number in range(3, 12):
        page.keyboard.press("j")
        at(page, path, names[number])
        expect(buttons).to_be_visible()  # its keys are there
    page.keyboard.press("k")
    at(page, path, names[10])
    expect(buttons).to_be_visible()
    buttons.get_by_role("button", name="Next").click()
    at(page, path, names[11])
    expect(buttons).to_be_visible()
    buttons.get_by_role("button", name="Previous").click()
    at(page, path, names[10])
    page.locator("a[data-list]").click()
    page.wait_for_url(address)
    expect(page.locator(ROWS)).to_have_count(16)
    expect(page.locator(FOCUSED)).to_have_text(names[10])


def test_the_ends_of_a_list_are_ends(stack: Stack, page: Page, mark: str) -> None:
    open_list(page, some(stack, mark), MANY)
    page.locator(ROWS).last.locator("th a").click()
    at(page, "sessions", f"{mark}-29")
    buttons = page.locator("#siblings")
    expect(buttons).to_be_visible()
    expect(buttons.get_by_role("button", name="Next")).to_be_disabled()
    page.keyboard.press("j")
    expect(page.locator("#toast")).to_have_text("That was the last session of the list")
    expect(buttons.get_by_role("button", name="Previous")).to_be_enabled()


def test_a_page_in_a_tab_of_its_own_knows_the_list_it_was_opened_from(
    stack: Stack, page: Page, mark: str
) -> None:
    address = some(stack, mark)
    open_list(page, address, 8)
    with page.context.expect_page() as opened:
        page.locator(ROWS).nth(2).locator("th a").click(modifiers=["ControlOrMeta"])
    tab = opened.value
    expect(tab.locator("#siblings")).to_be_visible()
    assert tab.locator("a[data-list]").evaluate("link => link.href") == address
    tab.keyboard.press("j")
    at(tab, "sessions", f"{mark}-03")


def test_a_page_that_is_in_no_list_has_no_neighbours(stack: Stack, page: Page, mark: str) -> None:
    page.goto(f"{stack.url}/session?{urlencode({'id': f'{mark}-07'})}")
    at(page, "sessions", mark)
    expect(page.locator("#siblings")).to_be_hidden()
    page.keyboard.press("j")
    assert page.locator("a[data-list]").get_attribute("href") == "/sessions"
    page.goto(some(stack, f"{mark}-1"))
    page.goto(f"{stack.url}/session?{urlencode({'id': f'{mark}-07'})}")
    expect(page.locator("a[data-list]")).to_have_attribute("href", re.compile(f"session_id={mark}-1"))
    expect(page.locator("#siblings")).to_be_hidden()


def test_keys_move_through_rows_and_on_to_the_next_ones(stack: Stack, page: Page, mark: str) -> None:
    open_list(page, some(stack, mark), 8)
    for _ in range(9):
        page.keyboard.press("j")
    expect(page.locator(FOCUSED)).to_have_text(f"{mark}-08")
    expect(page.locator(ROWS)).to_have_count(16)
    page.keyboard.press("k")
    expect(page.locator(FOCUSED)).to_have_text(f"{mark}-07")
    for chord in ("Control+j", "Alt+j", "Meta+j"):
        page.keyboard.press(chord)
        expect(page.locator(FOCUSED)).to_have_text(f"{mark}-07")
    page.keyboard.press("Enter")
    at(page, "sessions", f"{mark}-07")


def test_keys_do_nothing_while_one_types(stack: Stack, page: Page, mark: str) -> None:
    open_list(page, some(stack, mark), 8)
    page.keyboard.press("/")
    page.keyboard.type("j?ku")
    expect(page.locator("#filters .search")).to_have_value("j?ku")
    expect(page.locator("#filters .search")).to_be_focused()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_dialog_of_keys_keeps_the_focus_and_breaks_no_rule(stack: Stack, page: Page, mark: str) -> None:
    for address in (some(stack, mark), f"{stack.url}/session?{urlencode({'id': f'{mark}-07'})}"):
        page.goto(address)
        page.get_by_role("link", name="spanloom").focus()
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys of this page")
        expect(dialog).to_be_visible()
        page.keyboard.press("j")
        for _ in range(4):
            page.keyboard.press("Tab")
            assert page.evaluate("!document.activeElement.closest('main, .top')")
        assert violations_everywhere(page, (1440, 390)) == []
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("link", name="spanloom")).to_be_focused()


def test_where_storage_is_off_pages_work_without_memory(stack: Stack, new_page: NewPage, mark: str) -> None:
    page = new_page()
    page.add_init_script("""for (const name of ["sessionStorage", "localStorage"]) {
        Object.defineProperty(window, name, { get() { throw new DOMException("off", "SecurityError"); } });
    }""")
    open_list(page, some(stack, mark), 8)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    at(page, "sessions", f"{mark}-00")
    expect(page.locator("#siblings")).to_be_visible()
    assert page.locator("a[data-list]").evaluate("link => link.href") == some(stack, mark)
    page.keyboard.press("j")
    at(page, "sessions", f"{mark}-01")
    expect(page.locator("#find")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
