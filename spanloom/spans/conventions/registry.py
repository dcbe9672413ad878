"""All conventions as one table: from an attribute's name to the fields it gives.

Reading an attribute costs one dict lookup. Names that begin with a declared prefix, that fit a template,
and names nobody declared, are looked up the slow way once and then remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spanloom.spans.conventions import readers
from spanloom.spans.conventions.catalogue.frameworks import (
    ag2,
    claude_code,
    genkit,
    google_adk,
    litellm,
    livekit,
    mastra,
    pydantic_ai,
    spring_ai,
    strands,
    vercel_ai,
    voltagent,
)
from spanloom.spans.conventions.catalogue.platforms import (
    laminar,
    langfuse,
    langsmith,
    logfire,
    mlflow,
    openlit,
)
from spanloom.spans.conventions.catalogue.standards import gen_ai, openinference, openllmetry, plain
from spanloom.spans.conventions.fields import WHOLE, Convention, Field, Key, Prefix, Reader, Template

CONVENTIONS: tuple[Convention, ...] = (
    laminar.CONVENTION,
    langfuse.CONVENTION,
    openinference.CONVENTION,
    gen_ai.CONVENTION,
    vercel_ai.CONVENTION,
    openllmetry.CONVENTION,
    pydantic_ai.CONVENTION,
    litellm.CONVENTION,
    langsmith.CONVENTION,
    mlflow.CONVENTION,
    logfire.CONVENTION,
    openlit.CONVENTION,
    mastra.CONVENTION,
    spring_ai.CONVENTION,
    google_adk.CONVENTION,
    genkit.CONVENTION,
    livekit.CONVENTION,
    claude_code.CONVENTION,
    strands.CONVENTION,
    ag2.CONVENTION,
    voltagent.CONVENTION,
    plain.CONVENTION,
)

READERS: dict[Field, Reader] = {
    Field.SESSION_ID: readers.identity,
    Field.USER_ID: readers.identity,
    Field.TOTAL_TOKENS: readers.tokens,
    Field.INPUT_TOKENS: readers.tokens,
    Field.OUTPUT_TOKENS: readers.tokens,
    Field.CACHE_READ_TOKENS: readers.tokens,
    Field.CACHE_WRITE_TOKENS: readers.tokens,
    Field.REASONING_TOKENS: readers.tokens,
    Field.INPUT_AUDIO_TOKENS: readers.some_tokens,
    Field.CACHED_AUDIO_TOKENS: readers.some_tokens,
    Field.INPUT_IMAGE_TOKENS: readers.some_tokens,
    Field.CACHED_IMAGE_TOKENS: readers.some_tokens,
    Field.CACHE_WRITE_1H_TOKENS: readers.some_tokens,
    Field.OUTPUT_AUDIO_TOKENS: readers.some_tokens,
    Field.OUTPUT_IMAGE_TOKENS: readers.some_tokens,
    Field.COMPACTION_INPUT_TOKENS: readers.some_tokens,
    Field.COMPACTION_OUTPUT_TOKENS: readers.some_tokens,
    Field.INPUT_COST: readers.cost,
    Field.OUTPUT_COST: readers.cost,
    Field.TOTAL_COST: readers.cost,
    Field.TAGS: readers.tags,
    Field.METADATA: readers.entries,
}
"""How a field is read where the key doesn't say otherwise; a field that isn't here takes the text as it
is."""

NOT_READ = 2**16
"""The rank of a field that no key has named yet: worse than any. Ranks are positions in `precedence`, from 1, and
live no longer than the process."""

_REMEMBERED = 20_000
"""This many names are remembered besides the declared ones before all of them are forgotten: a bound on
memory."""

_LONGEST_REMEMBERED = 200
"""Longer names are not remembered, in characters."""


Rule = tuple[int, int, Reader | None]
"""How an attribute gives a field: the field, the rank of the key, the reader (None: the text itself)."""


class Rules(dict[str, tuple[Rule, ...]]):
    """The rules of every attribute name; a name that no convention reads has none.

    Raises ValueError where conventions and precedence do not fit together.
    """

    def __init__(
        self, conventions: Iterable[Convention], precedence: Mapping[Field, tuple[str, ...]]
    ) -> None:
        declared = [each for convention in conventions for each in convention.declared()]
        self._ranks = _ranks(declared, precedence)
        self._declared: dict[str, tuple[Rule, ...]] = {}
        self._prefixes: dict[str, Prefix] = {}
        for each in declared:
            if isinstance(each, Key):
                rules = (*self._declared.get(each.name, ()), self._rule(each))
                # Of one rank the one that was declared first stays the first.
                self._declared[each.name] = tuple(sorted(rules, key=lambda rule: rule[:2]))
            elif isinstance(each, Prefix):
                self._prefixes[each.name] = each
        self._templates = tuple(each for each in declared if isinstance(each, Template))
        self._any_template = tuple({template.before for template in self._templates})
        self._longest_first = sorted(self._prefixes, key=len, reverse=True)
        self._any_prefix = tuple(self._longest_first)
        for name, rules in self._declared.items():
            # A name that is declared by itself stays what a template or a flattened message makes of it; but what is a
            # field of its own is no metadata.
            self._declared[name] = (
                *rules,
                *(rule for rule in self._undeclared(name) if rule[0] != Field.METADATA),
            )
        super().__init__(self._declared)

    def rank(self, key: Key | Prefix | Template) -> int:
        """The precedence of a declared key within its field; 1 is the best."""
        return self._ranks[key.field, key.shown]

    def __missing__(self, name: str) -> tuple[Rule, ...]:
        rules = self._undeclared(name)
        if len(name) <= _LONGEST_REMEMBERED:
            if len(self) >= len(self._declared) + _REMEMBERED:
                self.clear()
                self.update(self._declared)
            self[name] = rules
        return rules

    def _undeclared(self, name: str) -> tuple[Rule, ...]:
        """What prefixes and templates make of a name: what knows more of its beginning, of equals a template."""
        prefix = ""
        if name.startswith(self._any_prefix):
            prefix = next(prefix for prefix in self._longest_first if name.startswith(prefix))
        if name.startswith(self._any_template):
            rules = tuple(
                rule
                for template in self._templates
                if len(template.before) >= len(prefix)
                and (word := template.word_in(name))
                and (rule := self._template_rule(template, word))
            )
            if rules:
                return rules
        return (self._prefix_rule(self._prefixes[prefix], name[len(prefix) :]),) if prefix else ()

    def _rule(self, key: Key) -> Rule:
        return int(key.field), self.rank(key), key.read or READERS.get(key.field)

    def _prefix_rule(self, prefix: Prefix, rest: str) -> Rule:
        """A rule whose reader gives the rest of the name along with the text."""
        rank = self.rank(prefix)
        if prefix.field is Field.METADATA:
            read = prefix.read or str

            def entry(text: str) -> object:
                return ((rest, value),) if rest and (value := read(text)) else None

            return int(prefix.field), rank, entry
        return int(prefix.field), rank, lambda text: (rest, text)

    def _template_rule(self, template: Template, word: str) -> Rule | None:
        """The rule of an attribute with this word in its name; None if the word is not valid."""
        rank = self.rank(template)
        read = template.read or READERS.get(template.field)
        if not template.word:
            return int(template.field), rank, read
        value = word if read is None else read(word)
        return None if value is None else (int(template.field), rank, lambda _: value)


def _ranks(
    declared: Iterable[Key | Prefix | Template], precedence: Mapping[Field, tuple[str, ...]]
) -> dict[tuple[Field, str], int]:
    """The rank of each declared key within its field.

    Raises ValueError for a key without a place, and for a place without a key. Numbered keys keep their places when no
    convention reads them any more.
    """
    ranks: dict[tuple[Field, str], int] = {}
    for each in declared:
        places = precedence.get(WHOLE.get(each.field, each.field), ())
        if places.count(each.shown) != 1:
            problem = "no place" if each.shown not in places else "several places"
            raise ValueError(
                f"{each.shown} has {problem} among the keys of {each.field.name} in precedence.py"
            )
        ranks[each.field, each.shown] = places.index(each.shown) + 1
    named = {(WHOLE.get(field, field), shown) for field, shown in ranks}
    for field, places in precedence.items():
        unread = [shown for shown in places if (field, shown) not in named]
        if unread and field not in (Field.SESSION_ID, Field.USER_ID):
            raise ValueError(
                f"precedence.py lists {unread[0]} for {field.name}, which no convention declares"
            )
    return ranks
