"""Empty, loading and broken states: what a reader sees when there is nothing, or nobody answers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from spanloom.local.ports import free_port
from tests.dashboard.browser.accessible import violations, violations_everywhere
from tests.dashboard.browser.conftest import ROOT, NewPage, Stack
from tests.fixtures_local import Process, clickhouse_process, wait_until

ROWS = "table.list tbody tr"


@dataclass(frozen=True)
class Alone:
    """A dashboard with a database of its own, which may be stopped and started."""

    url: str
    clickhouse_url: str
    database: Process


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    clickhouse, port, web = free_port(), free_port(), free_port()
    env = {
        "SPANLOOM_CLICKHOUSE__URL": f"http://127.0.0.1:{clickhouse}",
        "SPANLOOM_DASHBOARD__PORT": str(port),
        "SPANLOOM_DASHBOARD__WEB_PORT": str(web),
    }
    with clickhouse_process(clickhouse, tmp_path) as database:
        subprocess.run(
            [sys.executable, "-m", "spanloom", "migrate"], env=env, cwd=ROOT, check=True, timeout=120
        )
        with (tmp_path / "dashboard.log").open("wb") as log:
            dashboard = subprocess.Popen(
                [sys.executable, "-m", "spanloom", "dashboard"], env=env, cwd=ROOT, stdout=log, stderr=log
            )
        try:
            wait_until(
                lambda: "serving" in (tmp_path / "dashboard.log").read_text(), "the dashboard serves", 60
            )
            yield Alone(f"http://127.0.0.1:{port}", env["SPANLOOM_CLICKHOUSE__URL"], database)
        finally:
            dashboard.terminate()
            assert dashboard.wait(30) == 0


def test_from_no_data_over_an_outage_to_data(alone: Alone, new_page: NewPage) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(f"{alone.url}/sessions")
    expect(page.get_by_text("No spans have come yet")).to_be_visible()
    expect(page.get_by_text("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318")).to_be_visible()
    assert violations_everywhere(page) == []

    alone.database.stop()
    expect(page.locator(".notice")).to_contain_text("out of reach", timeout=30_000)
    expect(page.get_by_text("No spans have come yet")).to_be_visible()  # what was there stays
    assert violations_everywhere(page, (390,)) == []

    page.reload()
    expect(page.get_by_role("heading", name="ClickHouse is away")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_visible()
    assert violations_everywhere(page, (390,)) == []
    fresh = new_page(allowed=("Failed to load resource",))
    fresh.goto(f"{alone.url}/traces?range=7d&user=ada")
    expect(fresh.locator(".chips")).to_contain_text("ada")

    alone.database.start()
    expect(page.get_by_text("No spans have come yet")).to_be_visible(timeout=30_000)
    expect(fresh.get_by_text("No spans have come yet")).to_be_visible(timeout=30_000)
    expect(page.locator(".notice")).to_have_count(0)


@contextlib.contextmanager
def hanging(process: Process) -> Iterator[None]:
    """The process hangs: connections to it come about, and nothing is answered."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_database_that_hangs_is_seen_and_gone_on_from(alone: Alone, new_page: NewPage) -> None:
    page = new_page(allowed=("Failed to load resource",), viewport={"width": 1440, "height": 400})
    page.goto(f"{alone.url}/sessions")
    expect(page.get_by_text("No spans have come yet")).to_be_visible()
    live, notice = page.get_by_role("button", name="Live"), page.locator(".notice")
    with hanging(alone.database):
        expect(notice).to_have_text(
            re.compile(r"^There is no answer yet\. What you see is from \d+ \w+ \d{4}, \d\d:\d\d:\d\d\.$"),
            timeout=30_000,
        )
        expect(live).to_have_attribute("data-state", "late")
        colour = "dot => getComputedStyle(dot).backgroundColor"
        assert live.locator(".dot").evaluate(colour) == "rgb(194, 116, 0)"  # amber
        page.evaluate("scrollTo(0, 10000)")
        assert page.evaluate("scrollY") > 0
        expect(notice).to_be_in_viewport(ratio=1)

        fresh = new_page(allowed=("Failed to load resource",))
        fresh.goto(
            f"{alone.url}/traces", timeout=40_000
        )  # a blank page for less than SPANLOOM_CLICKHOUSE__READ_TIMEOUT
        expect(fresh.get_by_role("heading", name="ClickHouse is away")).to_be_visible()
        expect(fresh.get_by_role("button", name="Live")).to_have_attribute("data-state", "trouble")
        detail = new_page(allowed=("Failed to load resource",))
        detail.goto(f"{alone.url}/session?id=any", timeout=40_000)
        expect(detail.get_by_role("heading", name="ClickHouse is away")).to_be_visible()

        expect(notice).to_contain_text("out of reach", timeout=30_000)
        expect(live).to_have_attribute("data-state", "trouble")
        assert violations(page) == []
    expect(notice).to_have_count(0, timeout=30_000)
    expect(live).not_to_have_attribute("data-state", re.compile("."))
    expect(fresh.get_by_text("No spans have come yet")).to_be_visible(timeout=30_000)
    expect(detail.get_by_text("There is no such session")).to_be_visible(timeout=30_000)


def test_the_snippet_for_a_first_span_works_as_it_stands(stack: Stack, alone: Alone, page: Page) -> None:
    page.goto(f"{alone.url}/sessions")
    snippet = page.locator("#first-span").inner_text().replace("http://127.0.0.1:4318", stack.otlp_url)
    sent = subprocess.run(["sh", "-c", snippet], capture_output=True, text=True, timeout=60, check=False)
    assert sent.returncode == 0, sent.stderr
    page.goto(f"{stack.url}/sessions?session_id=my-first-session")
    row = page.locator(ROWS).first
    expect(row).to_contain_text("Is anybody there?", timeout=20_000)
    expect(row).to_contain_text("12 → 7 (19)")


def test_nothing_matches_and_the_ways_out(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/sessions?range=1h&user=nobody-at-all")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("link", name="Look further back").click()
    assert "range=30d" in page.url
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator(ROWS).first).to_be_visible()


def test_an_address_that_makes_no_sense(stack: Stack, new_page: NewPage) -> None:
    page = new_page(allowed=("Failed to load resource",))
    page.goto(f"{stack.url}/sessions?sort=colour")
    expect(page.get_by_role("status").filter(has_text="sort")).to_be_visible()
    page.goto(f"{stack.url}/nowhere")
    expect(page.get_by_text("There is no page at this address")).to_be_visible()
    page.get_by_role("link", name="All sessions", exact=True).click()
    expect(page).to_have_url(re.compile("/sessions$"))
