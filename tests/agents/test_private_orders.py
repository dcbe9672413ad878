"""The order of steps inside Faust and aiokafka that the worker relies upon: an upgrade that changes it fails here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.conductor import ConductorCompiler
from faust.transport.consumer import Fetcher
from faust.transport.drivers import aiokafka as driver

ORDERS: list[tuple[Callable[..., Any], list[str]]] = [
    (
        # Nothing may be delivered before the positions are there and have been sought.
        Recovery._resume_streams,
        [
            "on_rebalance_complete.send()",
            "resume_partitions(",
            "perform_seek()",
            "flow_control.resume()",
            "consumer.resume_flow()",
            "_fetcher.maybe_start()",
            "on_rebalance_end()",
        ],
    ),
    (
        Recovery._restart_recovery.fun,
        ["if not self.tables", "_resume_streams", "except RebalanceAgain", "continue"],
    ),
    (driver.Consumer.perform_seek, ["self.seek_to_committed()", "read_offset.update("]),
    (Fetcher._fetcher.fun, ["consumer._drain_messages("]),
    (
        driver.Consumer._drain_messages,
        ["getmany = self.getmany", "getmany(timeout=1.0)", "callback(message)"],
    ),
    # Nothing waits where there is room.
    (
        ConductorCompiler.build,
        ["await acquire_flow_control()", "queue.full()", "full.append(", "queue.put_nowait_enhanced("],
    ),
    (faust.App._on_partitions_revoked, ["stop_flow", "flow_control.suspend", "on_partitions_revoked.send"]),
    (driver.ConsumerRebalanceListener.on_partitions_assigned, ["consumer_generation_id = generation"]),
    (
        AIOKafkaConsumer.start,
        ["fetch_max_wait_ms=self._fetch_max_wait_ms", "assignors=self._partition_assignment_strategy"],
    ),
    (driver.AIOKafkaConsumerThread.on_start, ["_create_consumer(", "_consumer.start()"]),
    # What is left out is one second.
    (TableManager.on_start, ["self.sleep(1.0)", "_update_channels()", "recovery.start()"]),
    # A static member that was forgotten joins anew; one that stops does not leave.
    (
        GroupCoordinator.ensure_active_group,
        ["self._do_rejoin_group(subscription)", "_start_heartbeat_task()"],
    ),
    (
        CoordinatorGroupRebalance.perform_group_join,
        ["_coordinator.member_id", "_coordinator._send_req(request)"],
    ),
    (GroupCoordinator.reset_generation, ["self.member_id = ", "request_rejoin()"]),
    (GroupCoordinator._maybe_leave_group, ["self._group_instance_id is None", "LeaveGroupRequest("]),
]
"""What must be found in the source of a function, in this order."""


@pytest.mark.parametrize(("function", "steps"), ORDERS)
def test_what_is_relied_upon_happens_in_this_order(function: Callable[..., Any], steps: list[str]) -> None:
    rest = inspect.getsource(function)
    for step in steps:
        _, found, rest = rest.partition(step)
        assert found, f"{step} is not where it was"
