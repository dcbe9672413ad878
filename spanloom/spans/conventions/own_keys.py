"""Keys of a user's own, ahead of the built-in ones or behind them.

They are a list of entries, as a TOML file gives them (`own_entries` checks them):

    [[key]]
    name = "acme.usage"         # the attribute of a span
    field = "input_tokens"      # what it gives: a field of docs/conventions.md
    at = "prompt.count"         # left out: the whole value; else where in its JSON
    place = "behind"            # left out: "ahead" of the built-in keys

Of several on one side the first in the file is the best. A built-in key that is named for its own field is moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from spanloom.spans.conventions import readers
from spanloom.spans.conventions.fields import WHOLE, Convention, Field, Key, Prefix, Reader
from spanloom.spans.conventions.key_order import Identity, KeyOrder
from spanloom.spans.conventions.precedence.identity import (
    OWN_NUMBERS,
    SESSION_KEYS,
    USER_KEYS,
    NumberedKey,
)
from spanloom.spans.conventions.registry import READERS
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary, vocabulary_of
from spanloom.spans.table import SPAN_TYPES

FIELDS: Mapping[str, Field] = {
    field.name.lower(): field for field in Field if field is not Field.CUT and field not in WHOLE
}
"""The fields that a key can give, by the names of docs/conventions.md."""

NUMBERED = (Field.SESSION_ID, Field.USER_ID)
_TYPES = (Field.SPAN_TYPE, Field.SPAN_TYPE_IF_USED)
VALUES: Mapping[Field, tuple[str, ...]] = {
    **dict.fromkeys(_TYPES, SPAN_TYPES),
    Field.STATUS: ("error", "ok"),
}
"""Fields that take one of a few values."""

UNITS: Mapping[str, Reader] = {"s": readers.seconds, "ms": readers.milliseconds}
_READERS: Mapping[Field, Reader] = {
    **READERS,
    **{field: readers.choice({value.lower(): value for value in words}) for field, words in VALUES.items()},
    Field.FIRST_TOKEN_AFTER: readers.seconds,
    Field.FIRST_TOKEN_AT: readers.moment,
    Field.COPY: readers.true,
}


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of a user's own."""

    name: str
    """As the file writes it; a `*` at its end stands for the rest of a name."""
    field: Field
    ahead: bool = True
    """Before the built-in keys of its field, not behind them."""
    at: tuple[str, ...] = ()
    """Where in the JSON of the attribute the value is: paths of names with dots between, the first that fits counts."""
    values: tuple[tuple[str, str], ...] = ()
    """What stands for which value of the field."""
    unit: str = ""
    beside: str = ""
    """The key of the input tokens beside which, and not in which, these are counted."""
    number: int = 0
    """What is stored of a key of sessions or users."""
    moved: bool = False
    """A built-in key, which only changes its place."""

    def declared(self) -> Key | Prefix | None:
        """The same in the words of the conventions; None for a key that is declared already."""
        if self.moved:
            return None
        if self.name.endswith("*"):
            return Prefix(self.name[:-1], self.field)
        # Whoever names an attribute the input of a call writes what was asked there.
        is_prompt = self.field is Field.INPUT
        return Key(self.name, self.field, read=self._reader(), beside=self.beside, prompt=is_prompt)

    def _reader(self) -> Reader | None:
        read = _READERS.get(self.field)
        if self.values:
            read = readers.choice({word.lower(): value for word, value in self.values} | dict(self.values))
        if self.unit:
            read = UNITS[self.unit]
        return readers.inside(self.at, read) if self.at else read


def own_number(name: str) -> int:
    """The number that is stored of a key of sessions or users: it depends on nothing but the name.

    Numbers that people hand out are sooner or later given to another key, and nobody would notice that the traces which
    are stored under them change sides. Two names have the same number once in 32,768 times.
    """
    return OWN_NUMBERS[int.from_bytes(sha256(name.encode()).digest()[:4]) % len(OWN_NUMBERS)]


def with_own_keys(own: Sequence[OwnKey], source: str) -> Vocabulary:
    """The built-in conventions and a user's own keys, which come from `source`."""
    if not own:
        return BUILT_IN
    declared = [each for key in own if (each := key.declared())]
    convention = Convention(
        "Keys of your own",
        source,
        tuple(each for each in declared if isinstance(each, Key)),
        tuple(each for each in declared if isinstance(each, Prefix)),
    )
    precedence = {
        field: _placed([key for key in own if key.field is field], names)
        for field, names in BUILT_IN.precedence.items()
    }
    numbers: dict[Field, dict[str, int]] = {
        Field.SESSION_ID: {key.name: key.number for key in SESSION_KEYS},
        Field.USER_ID: {key.name: key.number for key in USER_KEYS},
    }
    for key in own:
        if key.field in numbers:
            numbers[key.field].setdefault(key.name, key.number)
    sessions, users = (
        [NumberedKey(numbers[field][name], name) for name in precedence[field]] for field in NUMBERED
    )
    vocabulary = vocabulary_of((*BUILT_IN.conventions, convention), precedence, sessions, users)
    identity = Identity(KeyOrder(_with_former(sessions)), KeyOrder(_with_former(users)))
    return replace(vocabulary, identity=identity)


def _with_former(keys: Sequence[NumberedKey]) -> list[NumberedKey]:
    """The keys, and beside each built-in one the number that it had as a key of a user's own, before spanloom knew it:
    what is stored under that stands where the key does."""
    numbers = {key.number for key in keys}
    found = []
    for key in keys:
        found.append(key)
        former = own_number(key.name)
        if key.number not in OWN_NUMBERS and former not in numbers:
            numbers.add(former)
            found.append(NumberedKey(former, key.name))
    return found


def _placed(own: Sequence[OwnKey], names: Sequence[str]) -> tuple[str, ...]:
    ahead = [key.name for key in own if key.ahead]
    behind = [key.name for key in own if not key.ahead]
    return (*ahead, *(name for name in names if name not in ahead and name not in behind), *behind)
