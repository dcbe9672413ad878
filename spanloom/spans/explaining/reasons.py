"""What decided on a trace as a whole: its session, its user, its input and its output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.key_order import KeyOrder
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.explaining.standing import named
from spanloom.spans.explaining.words import why_input, why_output
from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.calls import Calls
from spanloom.spans.folding.trace.fold import naming, root_of
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.folding.trace.words import words_of


@dataclass(frozen=True, slots=True)
class Named:
    """What named a session or user."""

    key: str
    span: str
    value: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """What decided on a trace; each `why` is a sentence without a full stop, empty where there is nothing."""

    sessions: Sequence[Named]
    """What names its session: the one that decided comes first, then whatever else is named, each once."""
    users: Sequence[Named]
    input: str
    """The input that was decided on; likewise `output`."""
    why_input: str
    output: str
    why_output: str


def reasons_of(tree: Tree, calls: Calls, vocabulary: Vocabulary) -> Reasons:
    """Return what decided on a trace."""
    root = root_of(tree)
    asked, answered = words_of(tree, calls, root)
    identity = vocabulary.identity
    return Reasons(
        sessions=_named(
            tree, lambda fact: (fact.session_key, fact.session_id), identity.sessions, _names(vocabulary, 0)
        ),
        users=_named(tree, lambda fact: (fact.user_key, fact.user_id), identity.users, _names(vocabulary, 1)),
        input=asked,
        why_input=why_input(tree, calls, root, asked),
        output=answered,
        why_output=why_output(tree, calls, root, answered),
    )


def _names(vocabulary: Vocabulary, side: int) -> dict[int, str]:
    """The keys of sessions (0) or users (1) by their stored numbers."""
    field = (Field.SESSION_ID, Field.USER_ID)[side]
    numbers = (vocabulary.session_keys, vocabulary.user_keys)[side]
    return {numbers[rank]: name for rank, name in enumerate(vocabulary.precedence[field], 1)}


def _named(
    tree: Tree, identity: Callable[[Fact], tuple[int, str]], order: KeyOrder, names: dict[int, str]
) -> list[Named]:
    best = naming((identity(fact)[0] for fact in tree.spans), order)
    if best is None:
        return []
    found: dict[str, Named] = {}
    for fact in (tree.spans[best], *tree.spans):
        number, value = identity(fact)
        if number:
            found.setdefault(value, Named(names.get(number, f"key {number}"), named(fact), value))
    return list(found.values())
