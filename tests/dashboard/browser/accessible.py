"""What a machine can say about a page's accessibility: names, headings, IDs, focus. `contrast.py` has the contrast."""

from __future__ import annotations

from playwright.sync_api import Page

_FAULTS = r"""() => {
    const faults = [];
    const shown = (element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true })
        && element.getClientRects().length > 0;
    const says = (element) => `<${element.localName}> ${element.textContent.trim().slice(0, 40)}`;

    for (const element of document.querySelectorAll("button, a[href], summary, [role=treeitem], [role=tree]")) {
        const name = element.getAttribute("aria-label") || element.textContent.trim() || element.title
            || element.querySelector("img")?.alt;
        if (shown(element) && !name) faults.push(`no name: ${element.outerHTML.slice(0, 100)}`);
    }
    for (const element of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        const named = element.labels?.length || element.getAttribute("aria-label");
        if (!named) faults.push(`no label: ${element.outerHTML.slice(0, 100)}`);
    }
    for (const element of document.querySelectorAll("img")) {
        if (!element.hasAttribute("alt")) faults.push(`no alt: ${element.outerHTML.slice(0, 100)}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) faults.push(`twice: #${id}`);
    for (const element of document.querySelectorAll("[aria-controls], [aria-labelledby], [aria-activedescendant]")) {
        for (const name of ["aria-controls", "aria-labelledby", "aria-activedescendant"]) {
            const id = element.getAttribute(name);
            if (id && !document.getElementById(id)) faults.push(`${name} leads nowhere: ${id}`);
        }
    }
    if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
    let level = 1;
    for (const heading of document.querySelectorAll("h1, h2, h3")) {
        const next = Number(heading.localName[1]);
        if (next > level + 1) faults.push(`a level is missing before: ${says(heading)}`);
        level = next;
    }
    if (!document.documentElement.lang) faults.push("no language");
    return [...new Set(faults)];
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with a page as it stands; hidden parts are not looked at."""
    found: list[str] = page.evaluate(_FAULTS)
    return found


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
