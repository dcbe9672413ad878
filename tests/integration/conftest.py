"""One set of tests, two brokers: the local one, and with `--broker kafka` Apache Kafka itself."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from spanloom.local.ports import free_port
from tests.fixtures_kafka import KafkaServer
from tests.fixtures_local import broker_process
from tests.integration.installation import Installation


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, local_clickhouse: str
) -> Iterator[Installation]:
    """A broker with its topics and an empty database of this test's own; workers are the test's to start."""
    with installed(request.config.getoption("--broker"), local_clickhouse, tmp_path) as installation:
        yield installation


@pytest.fixture
def kafka_only(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A broker with its topics, of this test's own, and no database."""
    with installed(request.config.getoption("--broker"), "", tmp_path) as installation:
        yield installation


@pytest.fixture(scope="module")
def shared_kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A broker with its topics for all tests of a module, and no database."""
    with installed(
        request.config.getoption("--broker"), "", tmp_path_factory.mktemp("kafka")
    ) as installation:
        yield installation


@contextlib.contextmanager
def installed(broker: str, clickhouse: str, folder: Path) -> Iterator[Installation]:
    """An installation on a broker of its own: `local` or `kafka`."""
    if broker == "kafka":
        server = KafkaServer(folder / "kafka")
        server.start()
        installation = Installation(server.bootstrap, clickhouse, folder, kafka=server)
        try:
            with installation:
                yield installation
        finally:
            server.kill()
    else:
        port = free_port()
        with broker_process(port, folder) as process:
            installation = Installation(f"127.0.0.1:{port}", clickhouse, folder, tansu=process)
            with installation:
                yield installation


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its workers have logged: without that a rare failure gives no clue."""
    report = yield
    installation = getattr(item, "funcargs", {}).get("installation")
    if report.failed and isinstance(installation, Installation):
        report.sections += installation.logs()
    return report
