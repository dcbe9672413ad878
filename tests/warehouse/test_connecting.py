"""Connecting, where ClickHouse takes connections and says nothing: one call tries, those that wait for it do not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from spanloom.warehouse import client
from spanloom.warehouse.client import Unavailable, connect
from spanloom.warehouse.settings import ClickHouseSettings
from tests.warehouse.tables import run

CALLS = 6
TIMEOUT = 2
"""Seconds in which all calls begin to wait, and none is answered."""


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that hangs: the system takes connections for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Grows by one with each attempt to connect."""
    made: list[str | None] = []
    real = client.new_client

    def counted(settings: ClickHouseSettings, database: str | None) -> Client:
        made.append(database)
        return real(settings, database)

    monkeypatch.setattr(client, "new_client", counted)
    return made


def test_calls_that_wait_for_an_attempt_that_fails_fail_with_it(
    silent: str, attempts: list[str | None]
) -> None:
    warehouse = connect(ClickHouseSettings(url=silent, read_timeout=TIMEOUT))

    async def ask() -> list[BaseException | None]:
        return await asyncio.gather(*(warehouse.ping() for _ in range(CALLS)), return_exceptions=True)

    errors = run(ask())
    assert {type(error) for error in errors} == {Unavailable}
    assert {str(error) for error in errors} == {f"ClickHouse at {silent} is out of reach: TimeoutError"}
    assert len(attempts) == 1


def test_a_call_after_a_failed_attempt_tries_anew(
    local_clickhouse: str, unused_url: str, attempts: list[str | None]
) -> None:
    warehouse = connect(ClickHouseSettings(url=unused_url, database="default"))
    for tried in (1, 2):
        with pytest.raises(Unavailable):
            run(warehouse.ping())
        assert len(attempts) == tried
    warehouse.settings = ClickHouseSettings(url=local_clickhouse, database="default")
    run(warehouse.ping())
    run(warehouse.ping())
    assert len(attempts) == 3
    warehouse.close()
