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
from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.topics import Topic
from faust.transport.drivers import aiokafka as driver
from mode.utils.queues import ThrowableQueue

from tests.docs.generated import ROOT

PARTS = ("agents", "spanloom/kafka", "spanloom/receiver")
FOREIGN = ("faust", "mode", "aiokafka")

MODULES = {
    "aiokafka",
    "aiokafka.admin",
    "aiokafka.admin.config_resource",
    "aiokafka.client",
    "aiokafka.coordinator.assignors.abstract",
    "aiokafka.coordinator.protocol",
    "aiokafka.errors",
    "aiokafka.protocol.abstract",
    "aiokafka.protocol.admin",
    "aiokafka.protocol.api",
    "aiokafka.protocol.metadata",
    "aiokafka.protocol.types",
    "faust",
    "faust.app.base",
    "faust.tables.manager",
    "faust.tables.recovery",
    "faust.transport.drivers",
    "faust.types",
    "mode",
    "mode.utils.queues",
}
"""The modules from which something is imported."""

ATTRIBUTES = {
    "_batch_ttl": "float",
    "_client": "AIOKafkaClient",
    "_conns": "dict",
    "_coordinator": "GroupCoordinator",
    "_crashed": "asyncio.Event",
    "_do_rejoin_group": "(self, subscription)",
    "_ensure_consumer": "(self)",
    "_fetch_max_wait_ms": "int",
    "_message_accumulator": "MessageAccumulator",
    "_partition_assignment_strategy": "list",
    "_send_req": "(self, request)",
    "_sender": "Sender",
    "_update_channels": "(self)",
}
"""Private attributes, and what each is."""

OVERRIDDEN: dict[str, dict[str, tuple[type, str]]] = {
    "_WithoutProducer": {"kafka_producer": (BootStrategy, "(self)")},
    "WorkerApp": {
        "BootStrategy": (faust.App, "type"),
        "FlowControlQueue": (faust.App, "(self, maxsize=None, *, clear_on_resume=False)"),
        "_new_transport": (faust.App, "(self)"),
        "on_start": (faust.App, "(self)"),
        "on_stop": (faust.App, "(self)"),
    },
    "Buffer": {"clear": (ThrowableQueue, "(self)")},
    "StickyAssignor": {
        "assign": (AbstractPartitionAssignor, "(cluster, members)"),
        "metadata": (AbstractPartitionAssignor, "(topics)"),
        "name": (AbstractPartitionAssignor, "property"),
        "on_assignment": (AbstractPartitionAssignor, "(assignment)"),
    },
    "Transport": {"Consumer": (driver.Transport, "type")},
    "_NoTables": {"on_start": (TableManager, "(self)")},
    "_Thread": {
        "_create_worker_consumer": (driver.AIOKafkaConsumerThread, "(self, transport)"),
        "_highwaters": (driver.AIOKafkaConsumerThread, "(self, partitions)"),
        "on_start": (driver.AIOKafkaConsumerThread, "(self)"),
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
    "__orig_bases__",  # of a class with parameters, like the next
    "__parameters__",
    "__static_attributes__",
}
"""What mode and Python give to every class, and how it is made."""

CALLED = [
    (driver.Consumer.assignment, "(self)"),
    (driver.Consumer.highwaters, "(self, *partitions)"),
    (driver.Consumer.seek_wait, "(self, partitions)"),
    (driver.Consumer.stop_flow, "(self)"),
    (driver.AIOKafkaConsumerThread.call_thread, "(self, fun, *args, **kwargs)"),
    (driver.AIOKafkaConsumerThread._ensure_consumer, "(self)"),
    (GroupCoordinator._do_rejoin_group, "(self, subscription)"),
    (GroupCoordinator._send_req, "(self, request)"),
    (GroupCoordinator.request_rejoin, "(self)"),
    (GroupCoordinator.fetch_committed_offsets, "(self, partitions)"),
    (AIOKafkaClient.coordinator_lookup, "(self, coordinator_type, coordinator_key)"),
    (AIOKafkaClient.get_random_node, "(self)"),
    (TableManager._update_channels, "(self)"),
    (Topic.__aiter__, "(self)"),
    (Topic.__anext__, "(self)"),
    (Sender.close, "(self)"),
]
"""What is called where no type checker looks."""


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


def test_private_attributes_are_there() -> None:
    async def scenario() -> None:
        app = faust.App("test")
        assert hasattr(app._crashed, "wait")
        assert app.crashed is False
        assert app.crash_reason is None
        assert {"rebalancing", "consumer_generation_id"} <= set(dir(app))
        assert AIOKafkaConsumer()._fetch_max_wait_ms == 500
        producer = AIOKafkaProducer()
        assert isinstance(producer._sender, Sender)
        assert isinstance(producer._message_accumulator, MessageAccumulator)
        assert producer._message_accumulator._batch_ttl == 40
        assert hasattr(driver.AIOKafkaConsumerThread, "_consumer")
        assert "_coordinator" in vars(AIOKafkaConsumer())

    asyncio.run(scenario())
