"""Media of messages in a browser: pictures are seen, sound plays, PDFs are saved, and nothing is asked of other hosts.

That no other host is asked and the policy refuses nothing, `new_page` watches.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.browser.accessible import violations_everywhere
from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span
from tests.dashboard.rendering.media.samples import PDF, png, spelled, wav
from tests.fixtures_local import wait_until

WIDTH, HEIGHT = 1600, 900
REMOTE = "https://pictures.example/a/2.png?size=large"

SENT: list[dict[str, Any]] = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is all this?"},
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{spelled(png(WIDTH, HEIGHT))}"},
            },
            {"type": "image_url", "image_url": {"url": REMOTE}},
            {"type": "input_audio", "input_audio": {"data": spelled(wav(1.5)), "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": spelled(b"\1\0" * 4_000), "format": "pcm16"}},
            {
                "type": "file",
                "file": {"filename": "terms.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            },
            {"type": "file", "file": {"file_id": "file-6F2ksmvXxt4VdoqmHRw6kL"}},
            {"type": "image_url", "image_url": {"url": "javascript:window.pwned=1"}},
        ],
    },
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "screenshot", "input": {}}]},
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": spelled(png(48, 32))},
                    }
                ],
            }
        ],
    },
]
ANSWERED = [
    {
        "role": "assistant",
        "content": None,
        "audio": {"id": "audio_1", "data": spelled(wav(0.5)), "transcript": "A *picture* and a sound."},
    }
]


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    """The address of the trace with all of them, once it is there."""
    one = span(
        "media",
        "look at this",
        gen_ai__input__messages=json.dumps(SENT),
        gen_ai__output__messages=json.dumps(ANSWERED),
    )
    send(stack.otlp_url, one)
    return f"{stack.url}/traces/{one['traceId']}"


@pytest.fixture
def seen(page: Page, url: str) -> Page:
    """The page of the trace, loaded."""
    wait_until(lambda: page.request.get(url).ok, "the trace", 60)
    page.goto(url)
    expect(page.locator("#panel .media")).to_have_count(9)
    return page


def test_pictures_are_seen_without_a_click(seen: Page) -> None:
    large = seen.get_by_alt_text("Picture (image/png)").first
    large.scroll_into_view_if_needed()
    seen.wait_for_function("[...document.images].every(image => image.complete)")
    sizes = seen.locator("#panel img").evaluate_all(
        "all => all.map(image => [image.naturalWidth, image.naturalHeight])"
    )
    assert sizes == [[WIDTH, HEIGHT], [48, 32]]
    box = large.bounding_box()
    assert box is not None
    assert 200 < box["width"] <= 512
    assert box["width"] / box["height"] == pytest.approx(WIDTH / HEIGHT, rel=0.02)
    expect(seen.locator(".tool-part img")).to_be_visible()


def test_a_click_shows_a_picture_in_full_size_and_another_closes_it(seen: Page) -> None:
    picture = seen.locator("#panel img").first
    picture.click()
    box = picture.bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (WIDTH + 2, HEIGHT + 2)  # and its border
    around = seen.locator("details.picture[open] > summary")
    over = around.bounding_box()
    assert over is not None
    assert (over["x"], over["y"], over["height"]) == (0, 0, 900)
    assert over["width"] == pytest.approx(1440, abs=20)  # but for the scroll bar
    assert seen.evaluate("document.elementFromPoint(10, 10).closest('details.picture') !== null")
    around.click(position={"x": 5, "y": 5})
    expect(seen.locator("details.picture[open]")).to_have_count(0)


def test_keys_open_and_close_a_picture(seen: Page) -> None:
    seen.locator("details.picture > summary").first.focus()
    seen.keyboard.press("Enter")
    expect(seen.locator("details.picture[open]")).to_have_count(1)
    seen.keyboard.press("Escape")
    expect(seen.locator("details.picture[open]")).to_have_count(0)
    expect(seen.locator("details.picture > summary").first).to_be_focused()
    seen.keyboard.press("Enter")
    seen.keyboard.press("Tab")
    expect(seen.locator("details.picture[open]")).to_have_count(0)


def width_of(picture: Locator) -> float:
    box = picture.bounding_box()
    assert box is not None
    return box["width"]


def test_pictures_open_without_scripts(new_page: NewPage, seen: Page) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(seen.url)
    picture = page.locator("#panel img").first
    picture.click()
    assert width_of(picture) > WIDTH
    picture.click(position={"x": 400, "y": 400})
    assert width_of(picture) <= 512


def test_sound_plays_with_its_words_beside_it(seen: Page) -> None:
    sounds = seen.locator("#panel audio")
    expect(sounds).to_have_count(2)
    assert sounds.evaluate_all("all => all.map(audio => [audio.paused, audio.readyState])") == [[True, 0]] * 2
    for number, seconds in ((0, 1.5), (1, 0.5)):
        sounds.nth(number).evaluate(
            """audio => new Promise((resolve, reject) => {
                audio.addEventListener("ended", resolve);
                audio.addEventListener("error", () => reject(audio.error.message));
                audio.muted = true;
                audio.play().catch(reject);
            })"""
        )
        assert sounds.nth(number).evaluate("audio => audio.duration") == pytest.approx(seconds)
    spoken = seen.locator("#panel .turn", has_text="A picture and a sound.")
    expect(spoken.locator("audio")).to_have_count(1)
    expect(seen.locator("#panel .media", has_text="audio/pcm16, 8.0 kB")).to_contain_text("not played")


def test_a_pdf_is_saved_and_not_opened(seen: Page, tmp_path: Path) -> None:
    with seen.expect_download() as saving:
        seen.get_by_role("link", name="Save").click()
    assert saving.value.suggested_filename == "terms.pdf"
    saving.value.save_as(tmp_path / "saved")
    assert spelled((tmp_path / "saved").read_bytes()) == PDF
    expect(seen.locator("#panel .media")).to_have_count(9)  # the page is still there
    assert len(seen.context.pages) == 1


def test_what_did_not_come_along_is_a_link_or_named(seen: Page) -> None:
    link = seen.get_by_role("link", name="Open the picture at pictures.example")
    expect(link).to_have_attribute("href", REMOTE)
    expect(link).to_have_attribute("title", REMOTE)
    expect(link).to_have_attribute("target", "_blank")
    assert {"noopener", "noreferrer"} <= set((link.get_attribute("rel") or "").split())
    expect(seen.locator("#panel .media", has_text="file-6F2ksmvXxt4VdoqmHRw6kL")).to_have_count(1)
    script = seen.locator("#panel .media", has_text="javascript:window.pwned=1")
    expect(script).to_have_count(1)
    expect(script.locator("a, img")).to_have_count(0)


def test_media_are_accessible_and_fit(seen: Page) -> None:
    assert violations_everywhere(seen) == []
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    seen.locator("details.picture > summary").first.press("Enter")
    assert violations_everywhere(seen, (1440, 390)) == []
