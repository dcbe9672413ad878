"""Numbers that are stored stay, and the order of keys is free."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.conventions.key_order import BUILT_IN, KeyOrder
from spanloom.spans.conventions.precedence.identity import (
    NO_KEY,
    OWN_NUMBERS,
    SESSION_KEYS,
    USER_KEYS,
    NumberedKey,
)

# Rows, messages and changelogs out there hold these numbers. Lines are added, never changed and never removed.
SESSION_NUMBERS = {
    1: "lmnr.association.properties.session_id",
    2: "langfuse.session.id",
    3: "session.id",
    4: "ai.telemetry.metadata.sessionId",
    5: "ai.telemetry.metadata.session_id",
    6: "traceloop.association.properties.session_id",
    7: "ai.settings.context.sessionId",
    8: "ai.settings.context.session_id",
    9: "gen_ai.conversation.id",
    10: "ai.telemetry.metadata.threadId",
    11: "langsmith.metadata.session_id",
    12: "langsmith.metadata.thread_id",
    13: "langsmith.metadata.conversation_id",
    14: "langsmith.metadata.sessionId",
    15: "mastra.metadata.sessionId",
    16: "mastra.metadata.threadId",
    17: "spring.ai.chat.client.conversation.id",
    18: "langfuse.observation.metadata.langfuse_session_id",
    19: "mlflow.trace.session",
    20: "gcp.vertex.agent.session_id",
    21: "gen_ai.session.id",
    22: "session_id",
    23: "sessionId",
    24: "thread_id",
    25: "conversation_id",
    26: "genkit:metadata:agent:sessionId",
    27: "genkit:sessionId",
    28: "conversation.id",
    29: "voltagent.conversation_id",
}
USER_NUMBERS = {
    1: "lmnr.association.properties.user_id",
    2: "langfuse.user.id",
    3: "user.id",
    4: "ai.telemetry.metadata.userId",
    5: "ai.telemetry.metadata.user_id",
    6: "traceloop.association.properties.user_id",
    7: "ai.settings.context.userId",
    8: "ai.settings.context.user_id",
    9: "enduser.id",
    10: "llm.user",
    11: "langsmith.metadata.user_id",
    12: "langsmith.metadata.userId",
    13: "mastra.metadata.userId",
    14: "mastra.metadata.resourceId",
    15: "langfuse.observation.metadata.langfuse_user_id",
    16: "mlflow.trace.user",
    17: "gen_ai.user.id",
    18: "gen_ai.user",
    19: "user_id",
}

KEYS = pytest.mark.parametrize(
    ("keys", "numbers"), [(SESSION_KEYS, SESSION_NUMBERS), (USER_KEYS, USER_NUMBERS)], ids=["session", "user"]
)


@KEYS
def test_a_number_stands_for_its_key_for_ever(keys: tuple[NumberedKey, ...], numbers: dict[int, str]) -> None:
    assert {key.number: key.name for key in keys} == numbers


@KEYS
def test_numbers_of_the_built_in_keys_leave_room(
    keys: tuple[NumberedKey, ...], numbers: dict[int, str]
) -> None:
    assert len(keys) == len(numbers)
    assert all(NO_KEY < key.number < OWN_NUMBERS.start for key in keys)


def test_the_order_is_that_of_the_list_and_not_of_the_numbers() -> None:
    order = KeyOrder([NumberedKey(7, "a"), NumberedKey(1, "b"), NumberedKey(3, "c")])
    assert sorted([1, 3, 7], key=order.place) == [7, 1, 3]


@pytest.mark.parametrize("number", [-1, 0, 2**16])
def test_numbers_that_no_column_holds_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="a number of its own"):
        KeyOrder([NumberedKey(number, "a")])


def test_one_number_for_two_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="a number of its own"):
        KeyOrder([NumberedKey(1, "a"), NumberedKey(1, "b")])


@given(st.sets(st.integers(1, 2**16 - 1)))
def test_unknown_keys_come_last_by_number(numbers: set[int]) -> None:
    known = [key.number for key in SESSION_KEYS]
    unknown = sorted(numbers - set(known))
    assert sorted({*known, *numbers}, key=BUILT_IN.sessions.place) == known + unknown
