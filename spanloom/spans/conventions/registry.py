"""All conventions as one table: from an attribute's name to what it says.

Reading an attribute costs one dict lookup. Names that begin with a declared prefix, that fit a template,
and names nobody declared, are looked up the slow way once and then remembered.
"""

from __future__ import annotations

from collections.abc import Iterable

from spanloom.spans.conventions import readers
from spanloom.spans.conventions.catalogue import (
    gen_ai,
    laminar,
    langfuse,
    litellm,
    openinference,
    pydantic_ai,
    traceloop,
    vercel_ai,
)
from spanloom.spans.conventions.fields import FIRST_MERGED, Convention, Field, Key, Prefix, Reader, Template

CONVENTIONS: tuple[Convention, ...] = (
    laminar.CONVENTION,
    langfuse.CONVENTION,
    openinference.CONVENTION,
    gen_ai.CONVENTION,
    vercel_ai.CONVENTION,
    traceloop.CONVENTION,
    pydantic_ai.CONVENTION,
    litellm.CONVENTION,
)

READERS: dict[Field, Reader] = {
    Field.INPUT_TOKENS: readers.tokens,
    Field.OUTPUT_TOKENS: readers.tokens,
    Field.CACHE_READ_TOKENS: readers.tokens,
    Field.CACHE_WRITE_TOKENS: readers.tokens,
    Field.REASONING_TOKENS: readers.tokens,
    Field.INPUT_COST: readers.cost,
    Field.OUTPUT_COST: readers.cost,
    Field.TOTAL_COST: readers.cost,
    Field.TAGS: readers.tags,
    Field.METADATA: readers.entries,
}
"""How a field is read where the key doesn't say otherwise; a field that isn't here takes the text as it
is."""

NOT_READ = 255
"""The rank of a field that no key has named yet: worse than any."""

_REMEMBERED = 20_000
"""So many names are remembered beside the declared ones before all of them are forgotten: a bound on
memory."""

_LONGEST_REMEMBERED = 200
"""Longer names are not remembered, in characters."""


Rule = tuple[int, int, Reader | None]
"""What an attribute says: a field, at a rank, read so (None: the text itself)."""


class Rules(dict[str, tuple[Rule, ...]]):
    """The rules of every attribute name; a name that says nothing has none."""

    def __init__(self, conventions: Iterable[Convention]) -> None:
        self._declared: dict[str, tuple[Rule, ...]] = {}
        self._prefixes: dict[str, Prefix] = {}
        for convention in conventions:
            for key in convention.keys:
                rules = (*self._declared.get(key.name, ()), _rule(key))
                self._declared[key.name] = tuple(sorted(rules, key=lambda rule: rule[:2]))
            for prefix in convention.prefixes:
                self._prefixes[prefix.name] = prefix
        self._templates = tuple(each for convention in conventions for each in convention.templates)
        self._any_template = tuple({template.before for template in self._templates})
        self._longest_first = sorted(self._prefixes, key=len, reverse=True)
        self._any_prefix = tuple(self._longest_first)
        super().__init__(self._declared)

    def __missing__(self, name: str) -> tuple[Rule, ...]:
        rules: tuple[Rule, ...] = ()
        if name.startswith(self._any_prefix):
            prefix = next(prefix for prefix in self._longest_first if name.startswith(prefix))
            rules = (_prefix_rule(self._prefixes[prefix], name[len(prefix) :]),)
        elif name.startswith(self._any_template):
            rules = tuple(
                rule
                for template in self._templates
                if (word := template.word_in(name)) and (rule := _template_rule(template, word))
            )
        if len(name) <= _LONGEST_REMEMBERED:
            if len(self) >= len(self._declared) + _REMEMBERED:
                self.clear()
                self.update(self._declared)
            self[name] = rules
        return rules


def _rule(key: Key) -> Rule:
    return int(key.field), key.rank, key.read or READERS.get(key.field)


def _prefix_rule(prefix: Prefix, rest: str) -> Rule:
    """A rule whose reader gives the rest of the name along with the text."""
    if prefix.field is Field.METADATA:
        read = prefix.read or str

        def entry(text: str) -> object:
            return ((rest, value),) if rest and (value := read(text)) else None

        return int(prefix.field), prefix.rank, entry
    return int(prefix.field), prefix.rank, lambda text: (rest, text)


def _template_rule(template: Template, word: str) -> Rule | None:
    """The rule of an attribute with this word in its name; None if the word says nothing."""
    read = template.read or READERS.get(template.field)
    if not template.word:
        return int(template.field), template.rank, read
    value = word if read is None else read(word)
    return None if value is None else (int(template.field), template.rank, lambda _: value)


def check(conventions: Iterable[Convention]) -> None:
    """Raises ValueError if two keys of a field have one rank: the order of attributes would decide."""
    seen: dict[tuple[Field, int], str] = {}
    for convention in conventions:
        for key in convention.ranked():
            if key.field >= FIRST_MERGED:
                continue
            other = seen.setdefault((key.field, key.rank), key.name)
            if other != key.name or not 0 < key.rank < NOT_READ:
                raise ValueError(f"{key.name} and {other} both have rank {key.rank} of {key.field.name}")


check(CONVENTIONS)

RULES = Rules(CONVENTIONS)
"""The rules of all conventions."""

PLAIN = frozenset(
    (int(key.field), key.rank) for convention in CONVENTIONS for key in convention.keys if key.plain
)
"""Field and rank of keys whose text is what was said, never JSON with messages in it."""

PROMPTS = frozenset(key.rank for convention in CONVENTIONS for key in convention.keys if key.prompt)
"""Ranks of the keys of INPUT whose text, if it is no JSON, is what the user said."""
