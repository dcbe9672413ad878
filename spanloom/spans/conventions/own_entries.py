"""A user's own keys out of the entries of a file, and a sentence for each mistake in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from spanloom.spans.conventions.fields import Field, Prefix
from spanloom.spans.conventions.own_keys import FIELDS, NUMBERED, UNITS, VALUES, OwnKey, own_number
from spanloom.spans.conventions.precedence.identity import OWN_NUMBERS
from spanloom.spans.conventions.vocabulary import BUILT_IN

MEMBERS = ("name", "field", "place", "at", "values", "unit", "beside", "number")

_PLACES = ("ahead", "behind")
_CACHED = (Field.CACHE_READ_TOKENS, Field.CACHE_WRITE_TOKENS)
_ONLY_OF: Mapping[str, tuple[Field, ...]] = {
    "values": tuple(VALUES),
    "unit": (Field.FIRST_TOKEN_AFTER,),
    "beside": _CACHED,
    "number": NUMBERED,
}
"""Members that only keys of some fields have."""

_LONGEST_NAME = 256
"""Characters of an attribute's name."""

_RANGE = f"from {OWN_NUMBERS.start} to {OWN_NUMBERS.stop - 1}"


class OwnKeysError(ValueError):
    """Some entries are impossible; `mistakes` has a sentence for each, which says which entry and what to change."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def read_own_keys(entries: Iterable[object]) -> tuple[OwnKey, ...]:
    """Read the entries, each a mapping with the members that `own_keys` shows.

    Raises:
        OwnKeysError: some are impossible.
    """
    read = [_Entry(position, entry) for position, entry in enumerate(entries, 1)]
    inputs = {*BUILT_IN.precedence[Field.INPUT_TOKENS]}
    inputs.update(each.key.name for each in read if each.key and each.key.field is Field.INPUT_TOKENS)
    seen: dict[tuple[Field, str], int] = {}
    numbered: dict[tuple[Field, int], str] = {}
    for each in read:
        key = each.key
        if key is None:
            continue
        first = seen.setdefault((key.field, key.name), each.position)
        if first != each.position:
            each.wrong(f"key {first} has the same `name` and `field`: remove one; `at` takes several paths")
        elif key.number:
            other = numbered.setdefault((key.field, key.number), key.name)
            if other != key.name:
                each.wrong(
                    f"it would be stored as number {key.number}, as {other} is: give one of the two a `number`"
                    f" {_RANGE} that no key has ever had, and never change it"
                )
        if key.beside and key.field in _CACHED and key.beside not in inputs:
            each.wrong(f"`beside` must name a key of input_tokens, which {key.beside} is not: correct it")
    mistakes = [sentence for each in read for sentence in each.mistakes]
    if mistakes:
        raise OwnKeysError(mistakes)
    return tuple(each.key for each in read if each.key)


class _Entry:
    """One entry: its key, as far as it can be understood, and what is wrong with it."""

    def __init__(self, position: int, entry: object) -> None:
        self.position = position
        self.mistakes: list[str] = []
        self.key: OwnKey | None = None
        self._label = f"key {position}"
        if not isinstance(entry, Mapping):
            self.mistakes.append(f"{self._label} is no table: write each key under a line `[[key]]`")
            return
        self._entry: Mapping[str, object] = entry
        if isinstance(name := entry.get("name"), str):
            shown = "".join(character for character in name[:64] if character.isprintable())
            self._label = f"{self._label} ({shown})"
        self._check_members()
        name, field = self._name(), self._field()
        ahead = self._one_of("place", _PLACES) != "behind"
        at, values, unit = self._paths(), self._values(field), self._one_of("unit", tuple(UNITS))
        beside, number = self._text("beside"), self._number()
        if name and field is not None:
            moved = name in BUILT_IN.precedence.get(field, ())
            if moved:
                self._check_moved()
            elif "*" in name:
                self._check_rest(name, field)
            if field in NUMBERED and not moved:
                number = number or own_number(name)
            self.key = OwnKey(name, field, ahead, at, values, unit, beside, number, moved)

    def wrong(self, sentence: str) -> None:
        """Note a mistake."""
        self.mistakes.append(f"{self._label}: {sentence}")

    def _check_members(self) -> None:
        for member in self._entry:
            if member not in MEMBERS:
                self.wrong(f"there is no member `{member}`: use {', '.join(MEMBERS[:-1])} and {MEMBERS[-1]}")
        for member in ("name", "field"):
            if member not in self._entry:
                self.wrong(f"`{member}` is missing: add it")

    def _name(self) -> str:
        name = self._text("name")
        if name and (len(name) > _LONGEST_NAME or name != name.strip() or not name.isprintable()):
            self.wrong(
                f"`name` must have at most {_LONGEST_NAME} characters, without blanks around it: correct it"
            )
            return ""
        return name

    def _field(self) -> Field | None:
        name = self._text("field")
        field = FIELDS.get(name)
        if name and field is None:
            close = get_close_matches(name, FIELDS, 1)
            advice = f"did you mean {close[0]}?" if close else "docs/conventions.md lists them"
            self.wrong(f"there is no field `{name}`: {advice}")
        if field is not None:
            for member, fields in _ONLY_OF.items():
                if member in self._entry and field not in fields:
                    names = " and ".join(each.name.lower() for each in fields)
                    self.wrong(f"`{member}` is for keys of {names}, not of {name}: remove it")
        return field

    def _text(self, member: str) -> str:
        value = self._entry.get(member, "")
        if isinstance(value, str) and (value or member not in self._entry):
            return value
        self.wrong(f"`{member}` must be a text: correct it")
        return ""

    def _one_of(self, member: str, words: Sequence[str]) -> str:
        value = self._entry.get(member, "")
        if member in self._entry and value not in words:
            self.wrong(f"`{member}` must be {' or '.join(map(repr, words))}: correct it")
            return ""
        return str(value)

    def _paths(self) -> tuple[str, ...]:
        if "at" not in self._entry:
            return ()
        given = self._entry["at"]
        paths = given if isinstance(given, list) else [given]
        if not paths or not all(isinstance(path, str) and all(path.split(".")) for path in paths):
            self.wrong(
                "`at` must be names with dots between, such as 'usage.prompt', or a list of such: correct it"
            )
            return ()
        return tuple(paths)

    def _values(self, field: Field | None) -> tuple[tuple[str, str], ...]:
        given = self._entry.get("values", {})
        allowed = VALUES.get(field, ()) if field is not None else ()
        if not isinstance(given, Mapping) or ("values" in self._entry and not given):
            self.wrong("`values` must be a table such as { ask = 'LLM' }: correct it")
            return ()
        for word, value in given.items():
            if allowed and value not in allowed:
                self.wrong(f"`values` has {value!r} for {word!r}: use one of {', '.join(allowed)}")
        return tuple((word, str(value)) for word, value in given.items())

    def _number(self) -> int:
        if "number" not in self._entry:
            return 0
        value = self._entry["number"]
        if isinstance(value, bool) or not isinstance(value, int) or value not in OWN_NUMBERS:
            self.wrong(f"`number` must be a whole number {_RANGE}: correct it")
            return 0
        return value

    def _check_moved(self) -> None:
        for member in self._entry:
            if member in MEMBERS and member not in ("name", "field", "place"):
                self.wrong(
                    f"it is a built-in key of this field, and only its `place` can be changed: remove `{member}`"
                )

    def _check_rest(self, name: str, field: Field) -> None:
        """A name that ends with `*`."""
        beginning = name[:-1]
        if field is not Field.METADATA or not beginning or "*" in beginning or not name.endswith("*"):
            self.wrong(
                "only a key of metadata has a `*`, at its end: name each attribute as a key of its own"
            )
        elif "at" in self._entry:
            self.wrong("`at` can't be used with a `*`: remove it")
        elif message := _message_around(beginning):
            self.wrong(f"{message} are read as messages: choose another beginning")


def _message_around(beginning: str) -> str:
    """The prefix of messages in which a beginning lies; empty where there is none."""
    prefixes = (prefix for convention in BUILT_IN.conventions for prefix in convention.prefixes)
    return next(
        (each.shown for each in prefixes if _is_message(each) and beginning.startswith(each.name)), ""
    )


def _is_message(prefix: Prefix) -> bool:
    return prefix.field is not Field.METADATA
