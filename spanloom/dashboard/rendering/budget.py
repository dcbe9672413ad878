"""How much work the texts of one answer may cost, so that every page ends in bounded time."""

from __future__ import annotations

from dataclasses import dataclass

MARKDOWN_CHARACTERS = 12_000
"""A longer text is shown as it stands: Markdown costs milliseconds per thousand characters, and the worst texts cost
their square."""

MEDIA_CHARACTERS = 4_000_000
"""Three megabytes of pictures, sound and files: all that the input and the output of a span may hold by default
(`SPANLOOM_LIMITS__TEXT`), twice over."""


@dataclass
class Budget:
    """What is left. Whoever finds it empty shows the text as it stands, which costs next to nothing."""

    markdown: int = 60_000
    """Characters that may still be read as Markdown."""
    nodes: int = 4_000
    """Values of JSON that may still get an element of their own."""

    media: int = MEDIA_CHARACTERS
    """Characters of base64 of pictures, sound and files that the page may still carry."""

    def take_markdown(self, characters: int) -> bool:
        """Whether this many characters may be read as Markdown; they are spent then."""
        if characters > MARKDOWN_CHARACTERS or characters > self.markdown:
            return False
        self.markdown -= characters
        return True

    def take_node(self) -> bool:
        """Whether a value may have an element; it is spent then."""
        self.nodes -= 1
        return self.nodes >= 0

    def take_media(self, characters: int) -> bool:
        """Whether the page may carry so many characters of base64; they are spent then."""
        if characters > self.media:
            return False
        self.media -= characters
        return True
