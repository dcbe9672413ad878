"""The short way to the last words of a list of messages says what the long way does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.messages.finding import holds_nothing, newest_first
from spanloom.spans.messages.parts import plain_text
from spanloom.spans.messages.texts import any_text, assistant_text, user_text
from spanloom.spans.messages.turns import Side
from tests.fuzz.strategies import json_values
from tests.fuzz.words import MEMBERS

_messages = st.dictionaries(
    st.sampled_from(["role", "content", "parts", "refusal", *MEMBERS]), json_values, max_size=4
)
_spoken = st.builds(
    lambda message, role: message | {"role": role},
    _messages,
    st.sampled_from(
        ["user", "human", "AI", "assistant", "system", "tool", "function", "nobody", "", None, 7]
    ),
)
values = json_values | st.lists(_messages | _spoken | json_values, max_size=4) | _messages


@given(values, st.sampled_from([None, 0, 3, 100]))
def test_by_turns(value: object, longest: int | None) -> None:
    def first(side: Side, *roles: str, others: bool = False) -> str:
        for turn in newest_first(value, side):
            speaks = turn is not None and (turn.role in roles) is not others
            if turn is not None and speaks and (text := plain_text(turn.parts, longest)):
                return text
        return ""

    assert user_text(value, longest) == first("user", "user")
    assert any_text(value, longest) == first("user", "tool", others=True)
    answer = (
        value[:longest]
        if isinstance(value, str)
        else first("assistant", "user", "system", "tool", others=True)
    )
    assert assistant_text(value, longest) == answer


@given(values, st.sampled_from(["user", "assistant"]))
def test_what_holds_nothing_has_no_turn(value: object, side: Side) -> None:
    if holds_nothing(value, side):
        assert not any(newest_first(value, side))
