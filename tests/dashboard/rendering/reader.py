"""A reader of HTML that says whether a text got out of its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ELEMENTS = frozenset((
    "a", "audio", "b", "bdi", "blockquote", "br", "code", "data", "details", "div", "em", "figcaption", "figure", "h4",
    "h5", "h6", "hr", "img", "li", "mark", "ol", "p", "pre", "s", "span", "strong", "summary", "table", "tbody", "td",
    "th", "thead", "tr", "ul",
))  # fmt: skip
_ATTRIBUTES = frozenset((
    "class", "dir", "href", "target", "rel", "src", "alt", "loading", "decoding", "open", "start", "value", "data-as",
    "tabindex", "role", "aria-label", "title", "controls", "preload", "download",
))  # fmt: skip
_FIXED = {"tabindex": ("0",), "role": ("group",), "preload": ("none",)}
"""Attributes whose values are ours: none comes from a text."""

_IMAGES = tuple(f"data:image/{kind};base64," for kind in ("png", "jpeg", "gif", "webp"))
_SOUNDS = tuple(f"data:audio/{kind};base64," for kind in ("wav", "mpeg", "aac", "ogg", "flac", "mp4", "webm"))
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")

_VOID = frozenset(("br", "hr", "img"))


class Reader(HTMLParser):
    """Reads HTML as a browser would, and objects to what may do anything or was not closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.sounds: list[str] = []
        self.downloads: list[tuple[str, str | None]] = []
        """Address and name of each."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES, (tag, name)
            if name in _FIXED:
                assert value in _FIXED[name], (name, value)
            if name == "href":
                assert value is not None
                if "download" in dict(attrs):
                    self._data(value, ("data:application/pdf;base64,",))
                    self.downloads.append((value, dict(attrs)["download"]))
                else:
                    assert value.lower().startswith(("http://", "https://", "mailto:")), value
                    assert ("rel", "noopener noreferrer nofollow") in attrs
                    self.links.append(value)
            if name == "src":
                assert value is not None
                if tag == "audio":
                    self._data(value, _SOUNDS)
                    self.sounds.append(value)
                else:
                    assert tag == "img"
                    self._data(value, _IMAGES)
                    self.images.append(value)
        if tag == "a":
            assert "a" not in self.open, "a link in a link"
        if tag not in _VOID:
            self.open.append(tag)

    @staticmethod
    def _data(url: str, kinds: tuple[str, ...]) -> None:
        """Objects to a URL that is anything but base64 of one of these kinds."""
        kind = next((kind for kind in kinds if url.startswith(kind)), None)
        assert kind is not None, url[:100]
        assert _BASE64.fullmatch(url, len(kind)), url[:100]

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
