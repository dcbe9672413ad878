"""Markdown, as models write it: no HTML passes, links lead to the web only, images are not loaded."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

_Environment = MutableMapping[str, Any]

_GOOD_LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20]+", re.IGNORECASE)

LINK = Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">')

_HEADINGS_BELOW = 3
"""A page's own headings end at h3: a text's highest is an h4."""


def is_web_link(url: str) -> bool:
    """Whether a URL leads to the web or to a mailbox, and is not longer than any honest one."""
    return len(url) <= 2_000 and _GOOD_LINK.fullmatch(url) is not None


class _Renderer(RendererHTML):
    """markdown-it's renderer, with our own elements where its own would load, style or outrank something."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """A link to the image; only its name where it stands in a link."""
        token = tokens[idx]
        name = self.renderInlineAsText(token.children, options, env) if token.children else ""
        label = Markup('<span class="image-name">image: {}</span>').format(name or token.attrGet("src"))
        if env.get("in_link"):
            return str(label)
        return f"{LINK.format(token.attrGet('src'))}{label}</a>"

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """Another window, which learns nothing about this one."""
        del options
        env["in_link"] = True
        return str(LINK.format(tokens[idx].attrGet("href")))

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """The end of it."""
        del tokens, idx, options
        env["in_link"] = False
        return "</a>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """A block of code with the name of its language."""
        del options, env
        token = tokens[idx]
        language = token.info.split(maxsplit=1)[0][:40] if token.info.strip() else ""
        return code_block(token.content, language)

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """A block of code."""
        del options, env
        return code_block(tokens[idx].content, "")

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """A heading that ranks below the page's own, and one below the heading it stands under."""
        del options
        outline: list[int] = env.setdefault("outline", [])
        level = int(tokens[idx].tag[1:])
        while outline and outline[-1] >= level:
            outline.pop()
        outline.append(level)
        return f"<{_heading(outline)}>"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment
    ) -> str:
        """The end of it."""
        del tokens, idx, options
        return f"</{_heading(env['outline'])}>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """A table that scrolls by itself where it is too wide, for which it takes the focus."""
        del tokens, idx, options, env
        return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """The end of it."""
        del tokens, idx, options, env
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: _Environment) -> str:
        """A cell: its alignment as a class, because style attributes are forbidden."""
        del options, env
        return _cell(tokens[idx])

    td_open = th_open


def code_block(code: str, language: str) -> str:
    """Return code as it stands, from left to right in every script; it takes the focus, to be scrolled by keys."""
    caption = Markup("<figcaption>{}</figcaption>").format(language) if language else Markup("")
    block = Markup('<figure class="code">{}<pre dir="ltr" tabindex="0"><code>{}</code></pre></figure>\n')
    return str(block.format(caption, code))


def _heading(outline: list[int]) -> str:
    """The element for the last of the open headings: models leave levels out, a page's outline may not."""
    return f"h{min(6, len(outline) + _HEADINGS_BELOW)}"


def _cell(token: Token) -> str:
    align = str(token.attrGet("style") or "").removeprefix("text-align:")
    return f'<{token.tag} class="{align}">' if align in ("left", "right", "center") else f"<{token.tag}>"


def _parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "breaks": True, "maxNesting": 20}, renderer_cls=_Renderer
    )
    parser.enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline", "reference"])
    parser.validateLink = is_web_link  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


@lru_cache(maxsize=1_000)
def markdown(text: str) -> Markup:
    """Return a text's HTML. The caller bounds its length: the worst texts cost its square.

    Kept for a while, because a page of turns is looked at again and again.
    """
    return Markup(_PARSER.render(text))
