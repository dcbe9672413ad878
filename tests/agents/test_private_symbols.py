"""What the product uses of Faust and aiokafka that they do not promise to keep: all of it is named here.

An upgrade that takes one of these away, or has it called otherwise, fails here and not in production. Whoever uses
another one declares it.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.producer.sender import Sender
from faust.streams import Stream
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Fetcher
from faust.transport.drivers import aiokafka as driver

from tests.docs.generated import ROOT

PARTS = ("agents", "spanloom/kafka", "spanloom/receiver")
FOREIGN = ("faust", "mode", "aiokafka")

MODULES = {
    "aiokafka",
    "aiokafka.admin",
    "aiokafka.admin.config_resource",
    "aiokafka.coordinator.assignors.abstract",
    "aiokafka.coordinator.protocol",
    "aiokafka.errors",
    "faust",
    "faust.tables.manager",
    "faust.tables.recovery",
    "faust.transport.drivers",
    "faust.types",
}
"""The modules from which something is imported."""

ATTRIBUTES = {
    "_commit": "(self, offsets)",
    "_coordinator": "GroupCoordinator",
    "_crashed": "asyncio.Event",
    "_do_rejoin_group": "(self, subscription)",
    "_fetch_max_wait_ms": "int",
    "_partition_assignment_strategy": "list",
    "_send_req": "(self, request)",
    "_sender": "Sender",
    "_update_channels": "(self)",
}
"""Private attributes, and what each is."""

OVERRIDDEN: dict[str, dict[str, tuple[type, str]]] = {
    "WorkerApp": {
        "_new_transport": (faust.App, "(self)"),
        "on_start": (faust.App, "(self)"),
        "on_stop": (faust.App, "(self)"),
    },
    "StickyAssignor": {
        "assign": (AbstractPartitionAssignor, "(cluster, members)"),
        "metadata": (AbstractPartitionAssignor, "(topics)"),
        "name": (AbstractPartitionAssignor, "property"),
        "on_assignment": (AbstractPartitionAssignor, "(assignment)"),
    },
    "Transport": {"Consumer": (driver.Transport, "type")},
    "_NoTables": {"on_start": (TableManager, "(self)")},
    "_Thread": {
        "on_start": (driver.AIOKafkaConsumerThread, "(self)"),
        "_create_worker_consumer": (driver.AIOKafkaConsumerThread, "(self, transport)"),
    },
    "Consumer": {
        "_new_consumer_thread": (driver.Consumer, "(self)"),
        "getmany": (driver.Consumer, "(self, timeout)"),
        "seek_to_committed": (driver.Consumer, "(self)"),
    },
}
"""What classes of ours override, by their name."""

OF_EVERY_CLASS = {
    "_abc_impl",
    "logger",
    "__abstractmethods__",
    "__annotations__",
    "__doc__",
    "__firstlineno__",  # from Python 3.13 on, like the last
    "__init__",
    "__module__",
    "__static_attributes__",
}
"""What mode and Python give to every class, and how it is made."""

CALLED = [
    (driver.Consumer.assignment, "(self)"),
    (driver.Consumer.highwaters, "(self, *partitions)"),
    (driver.Consumer.seek_wait, "(self, partitions)"),
    (driver.Consumer.stop_flow, "(self)"),
    (driver.Consumer._commit, "(self, offsets)"),
    (GroupCoordinator._do_rejoin_group, "(self, subscription)"),
    (GroupCoordinator._send_req, "(self, request)"),
    (TableManager._update_channels, "(self)"),
    (Stream.noack_take, "(self, max_, within)"),
    (Sender.close, "(self)"),
]
"""What is called where no type checker looks."""

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


def files() -> list[Path]:
    return [file for part in PARTS for file in sorted((ROOT / part).rglob("*.py"))]


def own_names(tree: ast.AST) -> Iterator[str]:
    """The names that a file gives to something: functions, classes, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr if ast.unparse(node.value) == "self" else ""


def private_attributes(source: str, inherited: Collection[str] = ()) -> set[str]:
    """Private attributes that a file uses and has not made itself, those of the standard library left out.

    `inherited` are names that classes of ours may have from classes of other files.
    """
    tree = ast.parse(source)
    own = set(own_names(tree))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in own | {"_exit", "_replace"}
        and not (ast.unparse(node.value) == "self" and node.attr in inherited)
    }


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def signature(function: Callable[..., Any]) -> str:
    """How a function is called, without types."""
    parameters = inspect.signature(function).parameters.values()
    return str(inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in parameters]))


def overridden() -> dict[str, set[str]]:
    """By class of ours, what it overrides of a class of Faust's or aiokafka's."""
    found: dict[str, set[str]] = {}
    import spanloom.agents

    for module in pkgutil.walk_packages(spanloom.agents.__path__, "spanloom.agents."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            bases = [base for base in kind.__mro__ if base.__module__.partition(".")[0] in FOREIGN]
            if kind.__module__ == module.name and bases:
                of_base = {attribute for base in bases for attribute in vars(base)}
                found[name] = set(vars(kind)) & of_base - OF_EVERY_CLASS
    return found


def test_every_private_attribute_is_declared_and_no_other() -> None:
    sources = [file.read_text() for file in files()]
    ours = {name for source in sources for name in own_names(ast.parse(source))}
    assert {name for source in sources for name in private_attributes(source, ours)} == set(ATTRIBUTES)


def test_a_private_attribute_of_something_else_is_found() -> None:
    assert private_attributes("self._mine = 1\nself._mine\nother._theirs\nsuper()._its()") == {
        "_theirs",
        "_its",
    }


def test_every_module_is_declared_and_no_other() -> None:
    assert {
        name for file in files() for name in imported(file) if name.partition(".")[0] in FOREIGN
    } == MODULES


def test_everything_overridden_is_declared_and_no_other() -> None:
    assert overridden() == {name: set(methods) for name, methods in OVERRIDDEN.items()}


@pytest.mark.parametrize(
    ("base", "name", "expected"),
    [(base, name, expected) for of in OVERRIDDEN.values() for name, (base, expected) in of.items()],
)
def test_what_is_overridden_is_there_and_called_as_before(base: type, name: str, expected: str) -> None:
    found = getattr(base, name)
    if inspect.isclass(found):
        assert expected == "type"
    elif isinstance(found, property):
        assert expected == "property"
    else:
        assert signature(found) == expected


@pytest.mark.parametrize(("function", "expected"), CALLED)
def test_what_is_called_takes_what_it_is_given(function: Callable[..., Any], expected: str) -> None:
    assert signature(function) == expected


@pytest.mark.parametrize(("function", "steps"), ORDERS)
def test_what_is_relied_upon_happens_in_this_order(function: Callable[..., Any], steps: list[str]) -> None:
    rest = inspect.getsource(function)
    for step in steps:
        _, found, rest = rest.partition(step)
        assert found, f"{step} is not where it was"


def test_private_attributes_are_there() -> None:
    async def scenario() -> None:
        app = faust.App("test")
        assert hasattr(app._crashed, "wait")
        assert app.crashed is False
        assert app.crash_reason is None
        assert {"rebalancing", "consumer_generation_id"} <= set(dir(app))
        assert AIOKafkaConsumer()._fetch_max_wait_ms == 500
        assert isinstance(AIOKafkaProducer()._sender, Sender)

    asyncio.run(scenario())
