"""The palette: to a session, trace, span or user by the ID, with keys, pointer or finger."""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.dashboard.browser.accessible import violations_everywhere
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span
from tests.fixtures_local import wait_until

HOSTILE = (
    "'\"` onfocus=alert(1) <img src=x onerror=alert(1)>",
    "\u202eevif \u2066 שלום",
    "🧵" * 200,
    "W" * 3000,
)


@pytest.fixture(scope="module")
def mark(stack: Stack) -> str:
    """How the IDs of sessions and users begin; one session for each hostile end."""
    mark = f"find-{secrets.token_hex(4)}"
    spans = [span(f"{mark} {end}", name=end, user__id=f"{mark} {end}") for end in HOSTILE]
    send(stack.otlp_url, *spans)
    wait_until(lambda: len(found(stack, mark)) >= 2 * len(HOSTILE), "all hits", 60)
    return mark


@pytest.fixture(scope="module")
def sent(stack: Stack) -> dict[str, Any]:
    """A span of a trace, session and user of its own."""
    one = span(f"s-{secrets.token_hex(4)}", name="the call", user__id=f"u-{secrets.token_hex(4)}")
    send(stack.otlp_url, one)
    wait_until(lambda: len(found(stack, one["traceId"])) == 1, "the trace", 60)
    return one | {each["key"]: each["value"].get("stringValue") for each in one["attributes"]}


def found(stack: Stack, q: str) -> list[Any]:
    with urllib.request.urlopen(f"{stack.url}/api/find?{urlencode({'q': q})}", timeout=30) as answer:
        return list(json.load(answer)["hits"])


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def ask(page: Page, text: str) -> None:
    page.keyboard.press("ControlOrMeta+k")
    expect(page.get_by_role("combobox", name="ID of a session")).to_be_focused()
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("end", [8, None], ids=["a beginning", "a whole ID"])
@pytest.mark.parametrize("kind", ["Session", "Trace", "Span", "User"])
def test_it_goes_to_each_kind_by_its_id(
    stack: Stack, page: Page, sent: dict[str, Any], kind: str, end: int | None
) -> None:
    name = {"Session": "session.id", "Trace": "traceId", "Span": "spanId", "User": "user.id"}[kind]
    page.goto(f"{stack.url}/traces")
    ask(page, f" {sent[name][:end]} ")
    option = page.locator("#palette").get_by_role("option", name=re.compile(f"^{kind} ?{sent[name]}"))
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    path = {"Session": "/session", "User": "/sessions"}.get(kind, f"/traces/{sent['traceId']}")
    page.wait_for_url(f"**{path}?*")
    wanted = {"Session": ("id", "session.id"), "Span": ("span", "spanId"), "User": ("user", "user.id")}
    if kind in wanted:
        parameter, value = wanted[kind]
        assert query(page)[parameter] == [sent[value]]
    if kind == "User":
        expect(page.locator("table.list tbody tr")).to_have_count(1)


def test_enter_right_after_pasting_waits_for_the_answer(
    stack: Stack, page: Page, sent: dict[str, Any]
) -> None:
    page.goto(f"{stack.url}/sessions")
    ask(page, sent["spanId"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/traces/{sent['traceId']}?*")


def test_arrow_keys_choose_and_pages_are_there_without_an_id(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.keyboard.press("ControlOrMeta+k")
    field = page.get_by_role("combobox")
    expect(page.locator("#palette").get_by_role("option")).to_have_text(
        ["PageSessions", "PageTraces", "HelpKeys of this page"]
    )
    chosen = page.locator("[role=option][aria-selected=true]")
    for key, name in (("ArrowUp", "Keys of this page"), ("ArrowDown", "Sessions"), ("ArrowDown", "Traces")):
        page.keyboard.press(key)
        expect(chosen).to_contain_text(name)
        expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces")
    ask(page, "KEY")
    expect(chosen).to_contain_text("Keys of this page")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keys of this page")).to_be_visible()


def test_escape_closes_it_and_the_focus_is_where_it_was(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions")
    page.locator("#filters .search").focus()
    ask(page, "abc")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox")).to_be_hidden()
    expect(page.locator("#filters .search")).to_be_focused()


def test_an_answer_that_comes_late_is_dropped(
    stack: Stack, page: Page, mark: str, sent: dict[str, Any]
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/api/find?q={mark}*", hold)
    page.goto(f"{stack.url}/sessions")
    ask(page, mark)
    wait_until(lambda: page.evaluate("1") and len(held) == 1, "the first question")
    page.get_by_role("combobox").fill(sent["traceId"])
    expect(page.locator("#palette").get_by_role("option")).to_have_count(1)
    # The browser has given it up; where it had not, the answer would come now.
    held[0].continue_()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#palette").get_by_role("option")).to_contain_text([sent["traceId"]])


def test_failures_and_nothing_are_said(stack: Stack, new_page: NewPage) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(f"{stack.url}/sessions")
    status = page.locator("#palette [role=status]")
    ask(page, f"nothing-{secrets.token_hex(4)}")
    expect(status).to_have_text("Nothing has an ID that begins like this: case counts.")
    page.route("**/api/find?*", lambda route: route.fulfill(status=503, json={"error": "ClickHouse is away"}))
    page.get_by_role("combobox").fill("x")
    expect(status).to_have_text("ClickHouse is away")
    page.unroute("**/api/find?*")
    page.route("**/api/find?*", lambda route: route.abort())
    page.get_by_role("combobox").fill("y")
    expect(status).to_have_text("The dashboard does not answer. Try again in a moment.")


def test_hostile_ids_run_nothing_fit_and_are_gone_to(stack: Stack, new_page: NewPage, mark: str) -> None:
    for width in (1440, 390):
        page = new_page(viewport={"width": width, "height": 800}, has_touch=width == 390)
        page.goto(f"{stack.url}/sessions?range=7d")
        if width == 390:
            page.get_by_role("button", name="Go to an ID").tap()
            page.get_by_role("combobox").fill(mark)
        else:
            ask(page, mark)
        options = page.locator("#palette").get_by_role("option")
        expect(options).to_have_count(2 * len(HOSTILE))
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        for option in options.all():
            box = option.bounding_box()
            assert box is not None
            assert box["width"] <= width
            assert box["height"] < 70
        assert page.locator("#palette img, #palette [onfocus]").count() == 0
        assert violations_everywhere(page, (width,)) == []
        options.nth(0).click()
        page.wait_for_url("**/session?*")
        assert query(page)["id"][0].startswith(mark)
        expect(page.locator(".crumb-id")).to_contain_text(mark)
