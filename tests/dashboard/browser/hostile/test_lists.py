"""Hostile texts in every field of the lists: nothing runs, nothing breaks the page."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from playwright.sync_api import expect

from tests.dashboard.browser.conftest import NewPage, Stack
from tests.dashboard.browser.otlp import send, span

ROWS = "table.list tbody tr"

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"` onmouseover=alert(1) autofocus onfocus=alert(1) x='",
    "javascript:alert(1)//",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}${7 * 7}<%= 7 %>",
    "</td></tr></table></main></title><svg/onload=alert(1)>",
    "\u202eevif \u2066\u200f\u05d0\u05d1 שלום",
    "a\nb\r\n\tc\x1b[31m",
    "𝕏" * 300,
    "W" * 5000,
    "…" + "\u0300" * 200,
)


def test_nothing_runs_and_nothing_breaks(stack: Stack, new_page: NewPage) -> None:
    mark = f"hostile-{secrets.token_hex(4)}"
    spans = [
        span(
            f"{mark} {text}",
            name=text,
            user__id=text,
            tag__tags=[text, "x"],
            gen_ai__request__model=text,
            gen_ai__prompt__0__role="user",
            gen_ai__prompt__0__content=text,
            gen_ai__completion__0__content=text,
            langfuse__trace__metadata__key=text,
        )
        for text in TEXTS
    ]
    send(stack.otlp_url, *spans, service="<script>alert(1)</script>")
    for width in (1440, 390):
        page = new_page(viewport={"width": width, "height": 900})
        for path in ("sessions", "traces"):
            page.goto(f"{stack.url}/{path}?session_id={mark}")
            expect(page.locator(ROWS)).to_have_count(len(TEXTS), timeout=30_000)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            tallest = max(row.bounding_box()["height"] for row in page.locator(ROWS).all())  # type: ignore[index]
            assert tallest < (90 if width == 1440 else 400), path
            assert (
                page.locator(
                    "main script, main [onerror], main [onload], main [onfocus], main iframe"
                ).count()
                == 0
            )
            page.get_by_text("Filters", exact=True).click()
            expect(page.locator("#values-tags option")).not_to_have_count(0)
            page.keyboard.press("Escape")


def test_hostile_filters_come_back_as_they_are(stack: Stack, new_page: NewPage) -> None:
    page = new_page()
    for text in TEXTS[:7]:
        page.goto(f"{stack.url}/sessions?{urlencode({'q': text, 'user': text, 'tag': text})}")
        expect(page.get_by_role("searchbox")).to_have_value(text)
        # What is shown names the characters that would turn the text round; what is sent again has them.
        expect(page.locator(".chip-value").first).to_have_text(text.replace("\u202e", "⟨RLO⟩"))
        page.locator(".chip").first.click()
        expect(page.locator(".chip-value")).to_have_count(2)
