"""How much work the texts of one answer may cost, so that every page ends in bounded time."""

from __future__ import annotations

from dataclasses import dataclass

MARKDOWN_CHARACTERS = 12_000
"""A longer text is shown as it stands: Markdown costs milliseconds per thousand characters, and the worst texts cost
their square."""


@dataclass
class Budget:
    """What is left. Whoever finds it empty shows the text as it stands, which costs next to nothing."""

    markdown: int = 60_000
    """Characters that may still be read as Markdown."""
    nodes: int = 4_000
    """Values of JSON that may still get an element of their own."""

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
