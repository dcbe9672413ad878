"""The words in which a convention is declared: fields, keys, prefixes, templates.

A *field* is something spanloom wants to know of a span. A *key* is the name of an attribute that gives it, a
*prefix* the beginning of such names, a *template* what stands around a word in them. Several conventions name
the same field: which of them wins is decided in one list a field, in `precedence`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, auto

Reader = Callable[[str], object]
"""Turns an attribute's text into the field's value; None if the text is not valid."""


class Field(IntEnum):
    """What can be known of a span."""

    SESSION_ID = 0
    USER_ID = auto()
    SPAN_TYPE = auto()
    SPAN_TYPE_IF_USED = auto()
    """The type of a span that gives no other, if it gives its usage: without usage it has no type of its own."""
    MODEL = auto()
    PROVIDER = auto()
    INPUT_TOKENS = auto()
    OUTPUT_TOKENS = auto()
    CACHE_READ_TOKENS = auto()
    CACHE_WRITE_TOKENS = auto()
    REASONING_TOKENS = auto()
    TOTAL_TOKENS = auto()
    INPUT_COST = auto()
    OUTPUT_COST = auto()
    TOTAL_COST = auto()
    INPUT = auto()
    OUTPUT = auto()
    TOOL_INPUT = auto()
    TOOL_OUTPUT = auto()
    STATUS = auto()
    STATUS_MESSAGE = auto()
    RESPONSE_ID = auto()
    COPY = auto()
    """Not empty where the span repeats what another one has recorded."""
    FIRST_TOKEN_AFTER = auto()
    """Seconds from the start of the span to the first token of the answer."""
    FIRST_TOKEN_AT = auto()
    """When the first token came, nanoseconds since the epoch."""
    ENVIRONMENT = auto()
    RELEASE = auto()
    TRACE_NAME = auto()
    TRACE_INPUT = auto()
    TRACE_OUTPUT = auto()
    # Parts of the tokens that have a price of their own, in the order of `TokenParts`; they are read for the cost only.
    INPUT_AUDIO_TOKENS = auto()
    CACHED_AUDIO_TOKENS = auto()
    INPUT_IMAGE_TOKENS = auto()
    CACHED_IMAGE_TOKENS = auto()
    CACHE_WRITE_1H_TOKENS = auto()
    """Written to a cache that keeps them for an hour, a part of CACHE_WRITE_TOKENS."""
    OUTPUT_AUDIO_TOKENS = auto()
    OUTPUT_IMAGE_TOKENS = auto()
    COMPACTION_INPUT_TOKENS = auto()
    """Used beside all others, by the model that shortened the conversation for the call."""
    COMPACTION_OUTPUT_TOKENS = auto()
    # From here on every key that is present counts, not only the best one.
    TAGS = auto()
    METADATA = auto()
    # Given by no key, but by an attribute that is too long to be kept whole.
    CUT = auto()
    # Messages spread over many attributes, an index in the key: as a whole they are one key of INPUT or
    # OUTPUT.
    INPUT_FLATTENED = auto()
    OUTPUT_FLATTENED = auto()


FIRST_MERGED = int(Field.TAGS)
"""Fields from here on merge the values of all their keys."""

WHOLE = {Field.INPUT_FLATTENED: Field.INPUT, Field.OUTPUT_FLATTENED: Field.OUTPUT}
"""Keys of these fields are, as a whole, one key of another field, and have their precedence there."""


@dataclass(frozen=True, slots=True)
class Key:
    """An attribute that names a field."""

    name: str
    field: Field
    read: Reader | None = None
    """How to read the text; None: the field's own way (`registry.READERS`)."""
    plain: bool = False
    """INPUT and OUTPUT: the text is the message itself, never JSON with messages in it."""
    beside: str = ""
    """A part of the tokens: the attribute of the whole beside which, and not in which, this one counts."""
    prompt: bool = False
    """INPUT: a text that is no JSON is the user's prompt, because the SDK writes a bare prompt as it is."""

    @property
    def shown(self) -> str:
        """As `precedence` and the docs show it."""
        return self.name


@dataclass(frozen=True, slots=True)
class Prefix:
    """All attributes whose names begin so; the rest of the name is part of their value."""

    name: str
    field: Field
    read: Reader | None = None
    """METADATA: how to read the text of one entry; None: the text as it is."""

    @property
    def shown(self) -> str:
        """As `precedence` and the docs show it."""
        return f"{self.name}*"


@dataclass(frozen=True, slots=True)
class Template:
    """All attributes whose names are `before`, one word without a dot, and `after`."""

    before: str
    after: str
    field: Field
    read: Reader | None = None
    """How to read the text; None: the field's own way (`registry.READERS`)."""
    word: bool = False
    """The word is read as the value, not the text."""

    @property
    def shown(self) -> str:
        """As `precedence` and the docs show it."""
        return f"{self.before}*{self.after}"

    def word_in(self, name: str) -> str:
        """The word in an attribute's name; empty if the name is no such one."""
        if not (name.startswith(self.before) and name.endswith(self.after)):
            return ""
        word = name[len(self.before) : -len(self.after)]
        return "" if "." in word else word


@dataclass(frozen=True, slots=True)
class Convention:
    """What one vendor or standard calls things."""

    name: str
    source: str
    """Where the names are defined: package and version, or page."""
    keys: tuple[Key, ...]
    prefixes: tuple[Prefix, ...] = ()
    templates: tuple[Template, ...] = ()

    def declared(self) -> tuple[Key | Prefix | Template, ...]:
        """All that names fields."""
        return self.keys + self.prefixes + self.templates
