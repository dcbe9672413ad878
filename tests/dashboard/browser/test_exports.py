"""Export: a file comes from each menu; and paper shows all, in black on white."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.detail import send_everything, session_url
from tests.dashboard.browser.load import RICH


@pytest.fixture
def url(stack: Stack) -> str:
    """The stack's dashboard, with the load in it."""
    send_everything(stack.url, stack.otlp_url)
    return stack.url


def taken(page: Page, label: str) -> bytes:
    page.click(".export > summary")
    with page.expect_download() as found:
        page.click(f".export >> text={label}")
    return Path(found.value.path()).read_bytes()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_comes_from_each_menu(url: str, new_page: NewPage, scripts: bool) -> None:
    page = new_page(java_script_enabled=scripts)
    page.goto(f"{url}/sessions?range=all")
    assert taken(page, "CSV").startswith(b"project_id,session_id,")
    page.goto(session_url(url, RICH))
    assert json.loads(taken(page, "JSON"))["session"]["session_id"] == RICH
    page.goto(page.locator(".card-head h2 a").first.evaluate("link => link.href") if scripts else page.url)
    assert taken(page, "JSON")


def test_paper_has_no_controls_and_nothing_folded(url: str, new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    page.goto(session_url(url, RICH))
    page.emulate_media(media="print")
    for control in (".session-tools", ".top-tools", ".menu >> nth=0"):
        assert page.locator(control).first.is_hidden()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 29, 35)"
    folded = page.evaluate(
        "[...document.querySelectorAll('.folded')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
    )
    assert folded == 0
    page.goto(page.locator(".card-head h2 a").first.evaluate("link => link.href"))
    assert page.locator(".tree-plain table").is_visible()
    assert page.locator(".tree").is_hidden()
