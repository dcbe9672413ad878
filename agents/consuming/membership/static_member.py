"""A static member of the consumer group, and what it does when another process takes its name.

A member with a group instance ID (Kafka's KIP-345) does not leave the group when it stops. Whoever joins under the same
ID gets its assignment, at once and without a rebalance, and the group forgets the process before it.

If that process still runs, Kafka answers its next heartbeat or commit with "unknown member": aiokafka sends neither
with the instance ID, so the broker can't say more. aiokafka then joins anew, which takes the name back; the two would
take it from each other for ever. So a process that was a member joins under the member ID it had, once: if the name is
another's by now the broker says so (`FENCED_INSTANCE_ID`); and if nobody has it, because the session has timed out, it
says "unknown member", and the process joins as a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FENCED_INSTANCE_ID = 82
"""Kafka's error code for a member ID that is no longer the one of its instance ID; aiokafka has no name for it."""


class NameTaken(Exception):
    """Another process has joined the group under the name of this one; the message says what to do."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"another worker has joined the group as {name!r} and has this one's partitions, so this one stops: give"
            " each worker a SPANLOOM_WORKER__GROUP_INSTANCE_ID of its own"
        )


def yield_the_name(coordinator: Any, taken: Callable[[], None]) -> None:
    """Make aiokafka's coordinator of a static member give way to another process of its name.

    Args:
        coordinator: the coordinator of a consumer that has started and not joined yet.
        taken: called when another process has the name; it must end this one.
    """
    send, join = coordinator._send_req, coordinator._do_rejoin_group
    was = ""

    async def send_and_look(request: Any) -> Any:
        response = await send(request)
        if getattr(response, "error_code", 0) == FENCED_INSTANCE_ID:
            taken()
        return response

    async def join_as_before(subscription: Any) -> Any:
        nonlocal was
        if not coordinator.member_id:
            coordinator.member_id, was = was, ""
        joined = await join(subscription)
        was = coordinator.member_id
        return joined

    coordinator._send_req, coordinator._do_rejoin_group = send_and_look, join_as_before
