"""The session page in a browser: the conversation, copying, the timeline, the search, long sessions, keys."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.accessible import violations
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.detail import send_everything, session_url
from tests.dashboard.browser.load import LONG, LONG_TRACES, RICH
from tests.dashboard.browser.otlp import send, span
from tests.fixtures_local import wait_until


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    send_everything(stack.url, stack.otlp_url)
    return stack.url


def test_a_recorded_conversation_reads_from_top_to_bottom(page: Page, url: str) -> None:
    page.goto(session_url(url, "conv-1"))
    cards = page.locator("article.card")
    expect(cards).to_have_count(5)
    expect(cards.first).to_contain_text("1/5")
    expect(cards.first.locator(".side-input")).to_contain_text("Where is my order 1234?")
    expect(cards.first.locator(".side-output")).to_contain_text("Answer 25: about 'Where is my order 1234?'")
    expect(page.locator(".facts")).to_contain_text("984 → 416 (1,400)")
    expect(page.locator(".value-lists")).to_contain_text("alice")


def test_markdown_code_and_arabic_read_well(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH))
    first = page.locator("article.card").first
    expect(first.locator("table td").first).to_have_text("packed")
    expect(first.locator("figure.code figcaption")).to_have_text("python")
    expect(first.locator("a[href='https://tracking.example/1234']")).to_have_attribute("target", "_blank")
    arabic = page.locator("article.card").nth(2).locator(".prose").first
    assert arabic.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_long_texts_unfold(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH))
    folded = page.locator("article.card").nth(3).locator(".folded")
    height = "element => element.clientHeight"
    before = folded.evaluate(height)
    page.get_by_text(re.compile("Show all")).click()
    assert folded.evaluate(height) > before * 1.2
    page.get_by_text("Show less").click()
    assert folded.evaluate(height) == before


def test_ids_and_json_are_copied_and_the_trace_opens(new_page: NewPage, url: str) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(session_url(url, RICH))
    clipboard = "navigator.clipboard.readText()"
    page.get_by_title("Copy the session ID").click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert page.evaluate(clipboard) == RICH
    menu = page.locator("article.card").first.locator("details.menu")
    menu.locator("summary").click()
    menu.get_by_text("Copy trace ID").click()
    wait_until(lambda: page.evaluate(clipboard) == f"{0xA101:032x}", "the trace ID in the clipboard")
    menu.locator("summary").click()
    menu.get_by_text("Copy as JSON").click()
    wait_until(lambda: page.evaluate(clipboard).startswith("{"), "JSON in the clipboard")
    copied = json.loads(page.evaluate(clipboard))
    assert copied["trace"]["trace_id"] == f"{0xA101:032x}"
    assert len(copied["spans"]) == 4
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    menu.locator("summary").click()
    menu.get_by_text("Open trace").click()
    page.wait_for_url(f"**/traces/{0xA101:032x}**")


def test_the_timeline_opens_shows_gaps_and_jumps(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH))
    expect(page.locator("#timeline")).to_be_hidden()
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator("#timeline a.bar")).to_have_count(5)
    expect(page.locator("#timeline .gap")).to_have_count(1)
    expect(page.locator("#timeline")).to_contain_text("1 gap collapsed")
    assert "view=timeline" in page.url
    for kind in ("llm", "tool", "error"):
        assert page.locator(f"#timeline rect.{kind}").count() > 0
    assert page.locator("#timeline .axis text").count() >= 2
    page.locator("#timeline a.bar").nth(4).click()
    card = page.locator("article.card").nth(4)
    expect(card).to_be_focused()
    expect(card).to_be_in_viewport()
    page.reload()
    expect(page.locator("#timeline a.bar")).to_have_count(5)
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator("#timeline")).to_be_hidden()
    assert "view=timeline" not in page.url


def test_the_steps_of_a_turn_open_inside_the_session(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH))
    card = page.locator("article.card").nth(4)
    assert "It failed" in card.inner_text()
    expect(card.locator(".failures li")).to_have_count(1)
    card.locator(".steps > summary").click()
    steps = card.locator(".transcript .step")
    expect(steps.first).to_be_visible()
    assert steps.count() >= 2
    panel = steps.first.locator(".step-panel")
    panel.locator("> summary").click()
    expect(panel.get_by_role("tab", name="Messages")).to_have_attribute("aria-selected", "true")
    panel.get_by_role("tab", name=re.compile("Attributes")).click()
    expect(panel.locator("[id^=pane-Attributes]")).to_be_visible()
    card.get_by_role("button", name="Tree").click()
    expect(steps.first).to_be_hidden()
    lines = card.locator(".step-tree > li")
    assert lines.count() >= steps.count()
    lines.nth(1).locator("summary").first.click()
    expect(lines.nth(1).locator(".panel")).to_be_visible()
    assert violations(page) == []
    card.locator(".steps > summary").click()
    expect(lines.first).to_be_hidden()


def test_steps_that_do_not_come_say_so_and_come_again(new_page: NewPage, url: str) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(session_url(url, RICH))
    away = {"status": 503, "content_type": "application/json", "body": '{"error": "ClickHouse is away"}'}
    page.route("**/steps?*", lambda route: route.fulfill(**away))
    steps = page.locator(".steps").first
    steps.locator("> summary").click()
    expect(steps.get_by_role("alert")).to_contain_text("ClickHouse is away")
    page.unroute("**/steps?*")
    steps.get_by_text("Try again").click()
    expect(steps.locator(".transcript .step").first).to_be_visible()


def test_the_whole_of_a_long_question_comes_where_it_stands(page: Page, stack: Stack, url: str) -> None:
    question = "A long question, and it goes on. " * 300 + "Its end."
    messages = json.dumps([{"role": "user", "content": question}])
    send(stack.otlp_url, span("long question", gen_ai__input__messages=messages))
    wait_until(lambda: page.request.get(session_url(url, "long question")).ok, "the session", 60)
    page.goto(session_url(url, "long question"))
    side = page.locator(".side-input")
    assert "Its end." not in side.inner_text()
    side.get_by_text("Show the whole input").click()
    expect(side.get_by_text("Its end.")).to_be_visible()
    expect(side.locator(".whole")).to_have_count(0)


def tip(page: Page) -> list[str]:
    """The tooltip's lines, which is seen and within the window."""
    shown = page.locator(".timeline-tip")
    expect(shown).to_be_visible()
    assert shown.evaluate(
        "tip => tip.getBoundingClientRect().left >= 0 && tip.getBoundingClientRect().right <= innerWidth"
    )
    return shown.locator("p").all_inner_texts()


def test_the_timeline_tells_what_is_pointed_at_or_focused(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH, view="timeline"))
    bars = page.locator("#timeline a.bar")
    bars.first.hover()
    first, second, third, fourth = tip(page)
    assert re.fullmatch(r"chat gpt-4o-mini, .* s", first)
    assert second == "1. support turn"
    assert re.fullmatch(r".* s, \d+ LLM calls?, \d+ tools?", third)
    assert re.search(r"\d\d:\d\d:\d\d\.\d\d\d CET", fourth)
    page.locator("#timeline rect.error").first.hover(force=True)
    assert tip(page)[0].startswith("error: ")
    page.mouse.move(0, 0)
    expect(page.locator(".timeline-tip")).to_be_hidden()
    page.locator(".timeline-scroll").focus()
    page.keyboard.press("Tab")
    assert tip(page)[0] == "1. support turn"
    page.keyboard.press("Escape")
    expect(page.locator(".timeline-tip")).to_be_hidden()


def test_the_timeline_zooms_and_pans(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH, view="timeline"))
    box = page.locator(".timeline-scroll")
    width, place = "box => box.scrollWidth / box.clientWidth", "box => box.scrollLeft"
    page.get_by_label("Zoom in").click()
    assert box.evaluate(width) == pytest.approx(1.6, abs=0.01)
    box.focus()
    page.keyboard.press("+")
    assert box.evaluate(width) == pytest.approx(2.56, abs=0.01)
    page.keyboard.press("0")
    assert box.evaluate(width) == 1
    area = box.bounding_box()
    assert area is not None
    right, middle = area["x"] + area["width"] - 5, area["y"] + 30
    page.mouse.move(right, middle)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    expect(page.locator(".timeline-scroll")).to_have_js_property("scrollTop", 0)
    page.wait_for_function("document.querySelector('.timeline-scroll').scrollLeft > 0")
    assert box.evaluate(width) == pytest.approx(2.718**2, rel=0.01)
    end = box.evaluate(place)
    assert end > 0.98 * box.evaluate(
        "box => box.scrollWidth - box.clientWidth"
    )  # what was under the pointer still is
    page.mouse.down()
    page.mouse.move(right - 100, middle, steps=4)
    page.mouse.move(right - 300, middle, steps=4)
    page.mouse.move(right - 200, middle, steps=4)
    page.mouse.move(right - 0, middle, steps=4)
    page.mouse.up()
    at = box.evaluate(place)
    page.mouse.move(right - 400, middle)
    page.mouse.down()
    page.mouse.move(right - 200, middle, steps=4)
    page.mouse.up()
    assert box.evaluate(place) == pytest.approx(at - 200, abs=2)
    assert "#trace-" not in page.url  # a drag is no click
    page.keyboard.press("0")


def test_a_first_touch_tells_and_a_second_goes(new_page: NewPage, url: str) -> None:
    page = new_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page.goto(session_url(url, RICH, view="timeline"))
    bar = page.locator("#timeline a.bar").nth(4)
    bar.tap()
    assert any(line.startswith("5. ") for line in tip(page))
    assert "#trace-" not in page.url
    bar.tap()
    expect(page.locator("article.card").nth(4)).to_be_focused()


def test_two_fingers_zoom_the_timeline(new_page: NewPage, url: str) -> None:
    page = new_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page.goto(session_url(url, RICH, view="timeline"))
    area = page.locator(".timeline-scroll").bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + 30
    devtools = page.context.new_cdp_session(page)

    def fingers(kind: str, *apart: float) -> None:
        points = [
            {"x": x + half, "y": y, "id": number}
            for distance in apart
            for number, half in enumerate((-distance, distance))
        ]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 20)
    for distance in (30, 40, 60, 80):
        fingers("touchMove", distance)
    fingers("touchEnd")
    zoom = page.locator(".timeline-scroll").evaluate("box => box.scrollWidth / box.clientWidth")
    assert zoom == pytest.approx(4, rel=0.2)
    assert page.evaluate("visualViewport.scale") == 1


@pytest.mark.parametrize(
    "wanted", ["REPETIRLO", "привет", "你好", "يصل", "straße", "find_order", f"{0xA101:032x}", "VIP"]
)
def test_search_finds_any_language_in_any_case(page: Page, url: str, wanted: str) -> None:
    page.goto(session_url(url, RICH))
    page.keyboard.press("/")
    page.keyboard.type(wanted)
    found = page.locator("#found mark")
    expect(found.first).to_be_visible()
    text = found.first.text_content()
    assert text is not None
    assert text.lower() == wanted.lower()
    assert "q=" in page.url
    page.reload()
    expect(page.locator("#found mark").first).to_be_visible()


def test_search_filters_leads_to_spans_and_says_where_nothing_is(page: Page, url: str) -> None:
    page.goto(session_url(url, RICH))
    page.locator(".filters > summary").click()
    page.get_by_label("Type").select_option("TOOL")
    expect(page.locator("#found .span-matches li")).to_have_count(5)
    page.get_by_label("Status").select_option("error")
    expect(page.locator("#filter-count")).to_have_text("2")
    expect(page.locator("#found")).to_contain_text("Nothing matches in 5 traces")
    page.get_by_label("Type").select_option("")
    expect(page.locator("#found .match")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".filters")).not_to_have_attribute("open", "")
    page.locator("#found a.jump").first.click()
    expect(page.locator("article.card").nth(4)).to_be_focused()
    page.locator("#found .span-matches a").first.click()
    page.wait_for_url("**/traces/**span=**")
    expect(page.locator(".failure")).to_contain_text("CardDeclined")


def test_a_long_session_is_loaded_on_scrolling(page: Page, url: str) -> None:
    page.goto(session_url(url, LONG))
    expect(page.locator("article.card").first).to_contain_text(f"1/{LONG_TRACES}")
    assert page.locator("article.card").count() < LONG_TRACES

    def at_the_end() -> bool:
        page.mouse.wheel(0, 20_000)
        return page.locator("article.card").count() == LONG_TRACES

    wait_until(at_the_end, "all cards")
    assert page.locator("article.card").last.get_attribute("data-number") == str(LONG_TRACES)
    numbers = page.locator("article.card").evaluate_all(
        "cards => cards.map(card => Number(card.dataset.number))"
    )
    assert numbers == list(range(1, LONG_TRACES + 1))


def test_a_jump_reaches_a_card_that_is_not_loaded_yet(page: Page, url: str) -> None:
    page.goto(session_url(url, LONG))
    page.locator("#search input[type=search]").fill("needle117.")
    page.locator("#found a.jump").click()
    card = page.locator(f"#trace-{0xC0000 + 117:032x}")
    expect(card).to_be_focused()
    expect(card).to_be_in_viewport()
    page.reload()
    expect(card).to_be_in_viewport()


def test_it_reads_without_scripts(new_page: NewPage, url: str) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(session_url(url, LONG))
    page.get_by_text("The next traces").click()
    expect(page.locator("article.card").first).to_contain_text(f"26/{LONG_TRACES}")
    page.goto(session_url(url, RICH))
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator("#timeline a.bar")).to_have_count(5)
    page.locator("#search input[type=search]").fill("repetirlo")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found mark").first).to_have_text("repetirlo")


def test_a_narrow_screen_needs_no_scrolling_sideways(new_page: NewPage, url: str) -> None:
    page = new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.goto(session_url(url, RICH, view="timeline", q="order"))
    expect(page.locator("#found mark").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_fails_says_so_and_recovers(new_page: NewPage, url: str) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(session_url(url, RICH))
    away = {"status": 503, "content_type": "application/json", "body": '{"error": "ClickHouse is away"}'}
    page.route("**/session/timeline?*", lambda route: route.fulfill(**away))
    page.route("**/session/search?*", lambda route: route.abort())
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator("#timeline [role=alert]")).to_contain_text("ClickHouse is away")
    page.locator("#search input[type=search]").fill("order")
    expect(page.locator("#found [role=alert]")).to_contain_text("does not answer")
    assert violations(page) == []
    page.unroute("**/session/timeline?*")
    page.unroute("**/session/search?*")
    page.locator("#timeline").get_by_text("Try again").click()
    expect(page.locator("#timeline a.bar")).to_have_count(5)
    page.locator("#found").get_by_text("Try again").click()
    expect(page.locator("#found mark").first).to_be_visible()


def test_a_session_that_goes_on_says_so(page: Page, stack: Stack, url: str) -> None:
    send(stack.otlp_url, span("going on", "first"))
    wait_until(lambda: page.request.get(session_url(url, "going on")).ok, "the session", 60)
    page.clock.install()
    page.goto(session_url(url, "going on"))
    page.clock.run_for(11_000)
    expect(page.locator("#notices")).to_be_empty()
    send(stack.otlp_url, span("going on", "second"))
    address = f"{url}/api/session?{urlencode({'id': 'going on'})}"
    wait_until(lambda: page.request.get(address).json()["trace_count"] == 2, "the second trace", 60)
    page.clock.run_for(11_000)
    expect(page.locator("#notices")).to_contain_text("1 more trace has come.")
    page.get_by_text("Load the page again").click()
    expect(page.locator("article.card")).to_have_count(2)
