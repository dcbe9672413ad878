"""One set of tests, two brokers: the local one, and with `--broker kafka` Apache Kafka itself."""

from __future__ import annotations

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
    if request.config.getoption("--broker") == "kafka":
        server = KafkaServer(tmp_path / "kafka")
        server.start()
        installation = Installation(server.bootstrap, local_clickhouse, tmp_path, kafka=server)
        try:
            with installation:
                yield installation
        finally:
            server.kill()
    else:
        port = free_port()
        with broker_process(port, tmp_path) as process:
            installation = Installation(f"127.0.0.1:{port}", local_clickhouse, tmp_path, tansu=process)
            with installation:
                yield installation


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its workers have logged: without that a rare failure tells nothing."""
    report = yield
    installation = getattr(item, "funcargs", {}).get("installation")
    if report.failed and isinstance(installation, Installation):
        report.sections += installation.logs()
    return report
