"""A database has one identity, whoever migrates it and however often."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from spanloom.warehouse import lookup
from spanloom.warehouse.client import connect
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings


def identity(url: str, database: str) -> str:
    warehouse = connect(ClickHouseSettings(url=url, database=database))
    found = asyncio.run(lookup.database(warehouse, "traces_versions"))
    assert found.is_empty
    assert found.expired_up_to == 0
    return found.identity


def test_it_stays_however_often_the_schema_is_brought_up_to_date(local_clickhouse: str) -> None:
    settings = ClickHouseSettings(url=local_clickhouse, database="identity_stays")
    migrate(settings)
    first = identity(local_clickhouse, settings.database)
    migrate(settings)
    assert identity(local_clickhouse, settings.database) == first
    migrate(settings.model_copy(update={"database": "identity_other"}))
    assert identity(local_clickhouse, "identity_other") != first


def test_two_runs_at_the_same_moment_agree(local_clickhouse: str) -> None:
    settings = ClickHouseSettings(url=local_clickhouse, database="identity_twice")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate, [settings, settings]))
    assert len({identity(local_clickhouse, settings.database) for _ in range(3)}) == 1
