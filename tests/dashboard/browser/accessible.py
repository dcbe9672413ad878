"""What a machine can say about a page's accessibility: axe-core's rules, and what the key Tab reaches."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

_STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""The WCAG 2.2 up to AA, and axe's own advice: one h1, all content in landmarks, tables with heads, and so on."""


def violations(page: Page) -> list[str]:
    """What breaks a rule of axe-core on a page as it stands, a line for each element: rule, where, why.

    Hidden parts are not looked at, and what axe leaves to a human ("incomplete") is no violation.
    """
    # Of a page that is scrolled, the bar that sticks to the top covers a part, which axe takes for a lasting fault.
    page.evaluate("scrollTo(0, 0)")
    options = {"runOnly": {"type": "tag", "values": _STANDARDS}, "resultTypes": ["violations"]}
    broken: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {_place(node['target'])}: {_reasons(node) or rule['help']}"
        for rule in broken
        for node in rule["nodes"]
    ]


def violations_everywhere(page: Page, widths: tuple[int, ...] = (1440, 768, 390)) -> list[str]:
    """The same in light and dark and at each of the widths (px), without loading the page again."""
    found: list[str] = []
    for scheme in _SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            found.extend(f"{scheme}, {width} px: {line}" for line in violations(page))
    return found


def _place(target: list[Any]) -> str:
    """The selector of an element; axe gives one for each frame or shadow root around it."""
    return " ".join(map(str, target))


def _reasons(node: dict[str, Any]) -> str:
    """Why it fails: one of `any`, all of `all` and `none` would have to be mended."""
    checks = (check for kind in ("any", "all", "none") for check in node[kind])
    return "; ".join(str(check["message"]) for check in checks)


def reachable(page: Page, most: int = 200) -> list[str]:
    """What the key Tab reaches, in order: the role or name of each element, and that each shows its focus."""
    reached = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
                const at = document.activeElement;
                if (!at || at === document.body) return null;
                const style = getComputedStyle(at);
                const bar = at.querySelector?.(".base");
                const ring = style.outlineStyle !== "none" || (bar && getComputedStyle(bar).strokeWidth === "2px");
                return [at.id || at.name || at.className.baseVal || at.className || at.localName, Boolean(ring)];
            }"""
        )
        if at is None:
            break
        assert at[1], f"{at[0]} does not show that it has the focus"
        reached.append(str(at[0]))
    return reached
