"""Databases on the local ClickHouse: a migrated one for each module, with a project for each test, or none yet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from spanloom.local.ports import free_port
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.warehouse.tables import sql

_numbers = itertools.count(1)


@pytest.fixture
def empty(local_clickhouse: str) -> Iterator[ClickHouseSettings]:
    """Settings whose database does not exist yet."""
    settings = ClickHouseSettings(url=local_clickhouse, database=f"empty_{next(_numbers)}")
    yield settings
    sql(settings, f"DROP DATABASE IF EXISTS {settings.database}")


@pytest.fixture(scope="module")
def warehouse(local_clickhouse: str) -> Iterator[Warehouse]:
    """All tables and views; shared by the tests of a module, so use `project`."""
    settings = ClickHouseSettings(url=local_clickhouse, database=f"migrated_{next(_numbers)}")
    migrate(settings)
    warehouse = connect(settings)
    yield warehouse
    warehouse.close()
    sql(settings, f"DROP DATABASE {settings.database}")


@pytest.fixture
def project() -> str:
    """A project that no other test uses."""
    return f"project-{next(_numbers)}"


@pytest.fixture
def unused_url() -> str:
    """An address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
