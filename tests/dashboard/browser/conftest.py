"""Chromium, driven by Playwright, in front of the running local stack with its recorded conversations.

Playwright's loop runs in the test's own thread, so a test here can't use `asyncio.run`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

from tests.running_stack import Up

ROOT = Path(__file__).resolve().parents[3]
TEST = Path(__file__).parent

ELSEWHERE = "evil.example"
"""The name of another site, which stands for this machine."""

_ARGUMENTS = (
    "--no-sandbox",  # root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
)


def chromium() -> str | None:
    """Where Chromium is: `CHROMIUM`, or on the PATH, as Debian's package `chromium` puts it there."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here, and skip it where there is no browser. Hostile rows come last: they top every list."""
    items.sort(key=lambda item: item.path.parent.name == "hostile")
    for item in items:
        if TEST in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(
                    pytest.mark.skip("there is no Chromium here: apt-get install chromium, or set CHROMIUM")
                )


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    url: str
    otlp_url: str
    clickhouse_url: str
    folder: Path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module: no longer, since its loop keeps every `asyncio.run` from running."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`spanloom up` on free ports, with its sample."""
    with Up(tmp_path_factory.mktemp("stack") / "data") as up:
        yield Stack(up.url("dashboard"), up.url("otlp-http"), up.url("clickhouse"), up.data)


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Makes pages that are watched: a script's error, a refused resource or a foreign host fails the test.

    Keyword arguments are those of Playwright's `new_context`; `allowed` lists beginnings of console messages that may
    come.
    """
    contexts = []
    wrong: list[str] = []

    def make(allowed: tuple[str, ...] = (), **options: Any) -> Page:
        context = browser.new_context(
            **{
                "locale": "en-GB",
                "timezone_id": "Europe/Berlin",
                "viewport": {"width": 1440, "height": 900},
                **options,
            }
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))

        def on_dialog(dialog: Dialog) -> None:
            wrong.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error" and not message.text.startswith(allowed or "\0"):
                wrong.append(f"console: {message.text}")

        def on_request(request: Request) -> None:
            if urlsplit(request.url).hostname not in ("127.0.0.1", None):
                wrong.append(f"request to {request.url}")

        page.on("dialog", on_dialog)
        page.on("console", on_console)
        page.on("request", on_request)
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A watched page, wide, light, in British English, in Berlin."""
    return new_page()
