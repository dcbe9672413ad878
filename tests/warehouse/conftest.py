"""A database that does not exist yet, on the local ClickHouse."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from spanloom.warehouse.settings import ClickHouseSettings
from tests.warehouse.tables import sql

_numbers = itertools.count(1)


@pytest.fixture
def empty(local_clickhouse: str) -> Iterator[ClickHouseSettings]:
    """Settings whose database does not exist yet."""
    settings = ClickHouseSettings(url=local_clickhouse, database=f"empty_{next(_numbers)}")
    yield settings
    sql(settings, f"DROP DATABASE IF EXISTS {settings.database}")
