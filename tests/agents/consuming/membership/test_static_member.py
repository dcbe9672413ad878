from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from spanloom.agents.consuming.membership.static_member import FENCED_INSTANCE_ID, NameTaken, yield_the_name


@dataclass
class Answer:
    error_code: int


@dataclass
class Coordinator:
    """aiokafka's, as far as it joins: it takes the member ID that the broker gives, and forgets it on an error."""

    answers: list[str | int]
    """Of the broker to each join: a member ID, or the code of an error."""

    member_id: str = ""
    joined_as: list[str] = field(default_factory=list)

    async def _send_req(self, request: str) -> Answer:
        self.joined_as.append(request)
        answer = self.answers.pop(0)
        self.member_id = answer if isinstance(answer, str) else ""
        return Answer(0 if isinstance(answer, str) else answer)

    async def _do_rejoin_group(self, _: object) -> bool:
        return (await self._send_req(self.member_id)).error_code == 0


class Taken(Exception):
    """In the place of the end of the process."""


def join(coordinator: Coordinator, times: int) -> list[str]:
    """Join some times, each time after the broker has forgotten the member; returns under which IDs."""

    def taken() -> None:
        raise Taken

    async def scenario() -> None:
        yield_the_name(coordinator, taken)
        for _ in range(times):
            await coordinator._do_rejoin_group(None)
            coordinator.member_id = ""

    asyncio.run(scenario())
    return coordinator.joined_as


def test_a_new_member_joins_without_an_id() -> None:
    assert join(Coordinator(["a"]), 1) == [""]


def test_one_that_was_forgotten_joins_under_the_id_it_had_and_then_as_a_new_one() -> None:
    assert join(Coordinator(["a", 25, "b", 25, "c"]), 5) == ["", "a", "", "b", ""]


def test_one_that_is_still_known_keeps_its_id() -> None:
    assert join(Coordinator(["a", "a", "a"]), 3) == ["", "a", "a"]


def test_one_whose_name_is_taken_ends() -> None:
    coordinator = Coordinator(["a", FENCED_INSTANCE_ID])
    with pytest.raises(Taken):
        join(coordinator, 2)
    assert coordinator.joined_as == ["", "a"]


def test_the_sentence_names_the_setting() -> None:
    assert "SPANLOOM_WORKER__GROUP_INSTANCE_ID" in str(NameTaken("pod-0"))
