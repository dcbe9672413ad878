"""Texts of realistic length: the same ones for the same random numbers."""

from __future__ import annotations

import math
from random import Random

SHORTEST, MEDIAN, LONGEST = 100, 500, 20_000
"""Characters. Lengths are log-normal around the median: most are short, few are very long."""

_SPREAD = 1.2  # the sigma of the logarithm of lengths
_CORPUS = 400_000  # characters
_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ner",
    "ta",
    "shu",
    "ver",
    "do",
    "an",
    "pri",
    "sel",
    "to",
    "ro",
    "ba",
    "qui",
    "en",
    "tas",
    "fol",
    "gra",
    "hem",
    "ist",
    "jo",
    "ul",
    "wen",
    "zy",
]
_RARE = ("naïve", "Zürich", "東京", "данные", "🙂", "“quoted”", "line\nbreak", "C:\\path", "€ 12,50", "café")


class Texts:
    """Excerpts from one long made-up text, each as long as the random numbers say.

    Args:
        fresh: the text is made anew once as much has been taken as it has, so that none is taken twice: nothing repeats
            but words.
    """

    def __init__(self, random: Random, fresh: bool = False) -> None:
        self._random = random
        self._fresh = fresh
        self._begin()

    def _begin(self) -> None:
        random = self._random
        self._taken = 0
        words = ["".join(random.choices(_SYLLABLES, k=random.randint(1, 4))) for _ in range(3_000)]
        parts: list[str] = []
        length = 0
        while length < _CORPUS:
            word = random.choice(_RARE) if random.random() < 0.01 else random.choice(words)
            parts.append(word)
            length += len(word) + 1
        self._corpus = " ".join(parts)

    def text(self, longest: int = LONGEST) -> str:
        """A text of 100 to `longest` characters."""
        length = int(math.exp(self._random.gauss(math.log(MEDIAN), _SPREAD)))
        return self.exactly(min(max(length, SHORTEST), longest))

    def exactly(self, length: int) -> str:
        """A text of `length` characters."""
        if self._fresh:
            if self._taken + length > len(self._corpus):
                self._begin()
            start, self._taken = self._taken, self._taken + length
        else:
            start = self._random.randrange(len(self._corpus) - length)
        return self._corpus[start : start + length]
