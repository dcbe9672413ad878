"""Logging in and out in a real browser, with its cookies and its own ideas of where a form comes from."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from spanloom.local.ports import free_port
from tests.dashboard.browser.accessible import violations_everywhere
from tests.dashboard.browser.conftest import ROOT, NewPage, Stack
from tests.fixtures_local import wait_until


@pytest.fixture
def guarded(stack: Stack, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A dashboard with a login on the stack's data: its address, and ada's password, made by `spanloom users new`."""
    spanloom = [sys.executable, "-m", "spanloom"]
    file = tmp_path / "users.toml"
    made = subprocess.run(
        [*spanloom, "users", "new", "ada", "--project", "default", "--file", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    port, web = free_port(), free_port()
    env = {
        **os.environ,
        "SPANLOOM_CLICKHOUSE__URL": stack.clickhouse_url,
        "SPANLOOM_DASHBOARD__PORT": str(port),
        "SPANLOOM_DASHBOARD__WEB_PORT": str(web),
        "SPANLOOM_DASHBOARD__USERS_FILE": str(file),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        running = subprocess.Popen([*spanloom, "dashboard"], env=env, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until(lambda: "serving" in log.read_text(), "the dashboard serves", 60)
        yield f"http://127.0.0.1:{port}", made.stdout.removeprefix("password: ").strip()
    finally:
        running.terminate()
        running.wait(30)


def test_in_and_out(guarded: tuple[str, str], new_page: NewPage) -> None:
    url, password = guarded
    page = new_page(allowed=("Failed to load resource",))
    page.goto(f"{url}/sessions?user=alice")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ada")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page.get_by_label("Name")).to_have_value("ada")
    expect(page.get_by_label("Password")).to_be_focused()
    assert violations_everywhere(page, (1440, 390)) == []
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions?user=alice")
    expect(page.locator("table.list tbody tr").first).to_contain_text("alice")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(f"{url}/sessions")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


@pytest.fixture
def another_site() -> Iterator[str]:
    """A site of another name and port, where every form is sent by a script as soon as it is there."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = parse_qs(urlsplit(self.path).query)["target"][0]
            body = (
                f'<form method="post" action="{target}"><input name="name" value="ada">'
                f'<input name="password" value="wrong password"></form><script>document.forms[0].submit()</script>'
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_another_site_logs_nobody_in_or_out(
    guarded: tuple[str, str], another_site: str, new_page: NewPage
) -> None:
    url, password = guarded
    page = new_page()
    page.goto(f"{url}/login")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/sessions")
    other = page.context.new_page()  # a tab of the same browser
    for path in ("login", "logout"):
        other.goto(f"{another_site}?{urlencode({'target': f'{url}/{path}'})}")
        other.wait_for_url(f"{url}/{path}")
        expect(other.locator("body")).to_contain_text("not sent by a page of the dashboard")
    page.goto(f"{url}/sessions")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
