"""What the members of a consumer group read, asked of the group's coordinator."""

from __future__ import annotations

from collections.abc import Collection

from aiokafka import AIOKafkaClient
from aiokafka.client import CoordinationType
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest

_STABLE = "Stable"


async def partitions_read(
    client: AIOKafkaClient, group: str, ours: Collection[tuple[str, int]]
) -> set[tuple[str, int]] | None:
    """Return the topic and number of each partition that a member of the group has; None while they are being assigned.

    The local broker names the members and not what they have: None, too, unless there is but one.

    Args:
        ours: what the member has that asks.

    Raises:
        KafkaError: Kafka can't be reached, or will not say.
    """
    coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
    answer = await client.send(coordinator, DescribeGroupsRequest([group]))
    error_code, _, state, _, _, members, *_ = answer.groups[0]
    if (error := for_code(error_code)) is not NoError:
        raise error(group)
    if state != _STABLE:
        return None
    assignments = [assignment for *_, assignment in members]
    if not all(assignments):
        return set(ours) if len(members) == 1 else None
    return {
        (topic, number)
        for assignment in assignments
        for topic, number in ConsumerProtocol.ASSIGNMENT.decode(assignment).partitions()
    }
