"""A reader of HTML that says whether a text got out of its place."""

from __future__ import annotations

from html.parser import HTMLParser

_ELEMENTS = frozenset((
    "a", "b", "bdi", "blockquote", "br", "code", "data", "details", "div", "em", "figcaption", "figure", "h4", "h5",
    "h6", "hr", "img", "li", "mark", "ol", "p", "pre", "s", "span", "strong", "summary", "table", "tbody", "td", "th",
    "thead", "tr", "ul",
))  # fmt: skip
_ATTRIBUTES = frozenset((
    "class", "dir", "href", "target", "rel", "src", "alt", "loading", "decoding", "open", "start", "value", "data-as",
    "tabindex", "role", "aria-label",
))  # fmt: skip
_FIXED = {"tabindex": ("0",), "role": ("group",), "aria-label": ("Table",)}
"""Attributes whose values are ours: none comes from a text."""

_VOID = frozenset(("br", "hr", "img"))


class Reader(HTMLParser):
    """Reads HTML as a browser would, and objects to what may do anything or was not closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES, (tag, name)
            if name in _FIXED:
                assert value in _FIXED[name], (name, value)
            if name == "href":
                assert value is not None
                assert value.lower().startswith(("http://", "https://", "mailto:")), value
                assert ("rel", "noopener noreferrer nofollow") in attrs
                self.links.append(value)
            if name == "src":
                assert value is not None
                assert tag == "img"
                assert value.startswith(
                    (
                        "data:image/png;base64,",
                        "data:image/jpeg;base64,",
                        "data:image/gif;base64,",
                        "data:image/webp;",
                    )
                )
                self.images.append(value)
        if tag == "a":
            assert "a" not in self.open, "a link in a link"
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        assert tag in _VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")


class Attributes(HTMLParser):
    """Reads the attributes `title`."""

    def __init__(self) -> None:
        super().__init__()
        self.titles: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.titles += [value for name, value in attrs if name == "title"]


def read(html: str) -> Reader:
    """Read HTML whole. Raises AssertionError where it is not harmless."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader
