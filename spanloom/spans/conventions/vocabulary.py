"""All that decoding and folding know of names, as one value: rules, and what follows from the keys' precedence.

There is one of the conventions that come with spanloom, `BUILT_IN`. A user's own keys make another (`own_keys`); it is
handed to whoever decodes or folds, so that two of them can stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spanloom.spans.conventions.fields import Convention, Field
from spanloom.spans.conventions.key_order import Identity, KeyOrder
from spanloom.spans.conventions.precedence import PRECEDENCE
from spanloom.spans.conventions.precedence.identity import NO_KEY, SESSION_KEYS, USER_KEYS, NumberedKey
from spanloom.spans.conventions.registry import CONVENTIONS, NOT_READ, Rules


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What the names of attributes mean, and which of several counts. Two are equal only if they are the same one."""

    conventions: Sequence[Convention]
    precedence: Mapping[Field, tuple[str, ...]]
    """The keys of each field, the best first."""
    rules: Rules
    plain: frozenset[tuple[int, int]]
    """Field and rank of keys whose text is the message itself, never JSON with messages in it."""
    prompts: frozenset[int]
    """Ranks of the keys of INPUT whose text, if it is no JSON, is the user's prompt."""
    beside: Mapping[tuple[int, int], int]
    """Field and rank of keys whose tokens count beside the input if that came from the key of this rank."""
    session_keys: Mapping[int, int]
    """The number that is stored of the key of a rank that named the session."""
    user_keys: Mapping[int, int]
    """The number that is stored of the key of a rank that named the user."""
    identity: Identity
    """The precedence by which traces find their sessions and users, out of these numbers."""


def vocabulary_of(
    conventions: Sequence[Convention],
    precedence: Mapping[Field, tuple[str, ...]],
    session_keys: Sequence[NumberedKey],
    user_keys: Sequence[NumberedKey],
) -> Vocabulary:
    """Put conventions and their precedence together.

    Args:
        conventions: what is read.
        precedence: the keys of each field, the best first; of SESSION_ID and USER_ID those that follow.
        session_keys: the keys of sessions with their numbers, the best first; likewise `user_keys`.

    Raises:
        ValueError: conventions, precedence and numbers do not fit together.
    """
    places = {
        **precedence,
        Field.SESSION_ID: tuple(key.name for key in session_keys),
        Field.USER_ID: tuple(key.name for key in user_keys),
    }
    rules = Rules(conventions, places)
    keys = [key for convention in conventions for key in convention.keys]
    return Vocabulary(
        conventions=tuple(conventions),
        precedence=places,
        rules=rules,
        plain=frozenset((int(key.field), rules.rank(key)) for key in keys if key.plain),
        prompts=frozenset(rules.rank(key) for key in keys if key.prompt),
        beside={
            (int(key.field), rules.rank(key)): places[Field.INPUT_TOKENS].index(key.beside) + 1
            for key in keys
            if key.beside
        },
        session_keys=_numbers(session_keys),
        user_keys=_numbers(user_keys),
        identity=Identity(KeyOrder(session_keys), KeyOrder(user_keys)),
    )


def _numbers(keys: Sequence[NumberedKey]) -> Mapping[int, int]:
    return {NOT_READ: NO_KEY} | {rank: key.number for rank, key in enumerate(keys, 1)}


BUILT_IN = vocabulary_of(CONVENTIONS, PRECEDENCE, SESSION_KEYS, USER_KEYS)
"""The conventions of `docs/conventions.md`."""
