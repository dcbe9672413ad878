"""While ClickHouse is away: wait with backoff, lose nothing, go on when it is back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from spanloom.local.ports import free_port
from spanloom.warehouse.client import Unavailable, WarehouseError, connect, retry_while_unavailable
from spanloom.warehouse.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from spanloom.warehouse.waiting import LONGEST_DELAY, backoff
from spanloom.warehouse.write import insert
from tests.fixtures_local import clickhouse_process
from tests.warehouse.tables import rows, run, spans


def sleeping(slept: list[float]) -> Callable[[float], Awaitable[None]]:
    """A clock that notes how long it should have waited."""

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return sleep


def test_delays_grow_up_to_half_a_minute() -> None:
    assert [backoff(attempt, 1) for attempt in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(10**9, 1) == LONGEST_DELAY
    assert backoff(1, 0) == 0.25


def test_it_never_gives_up_and_tells_of_each_wait() -> None:
    slept: list[float] = []
    told: list[tuple[str, float]] = []

    async def operation() -> str:
        if len(slept) < 1000:
            raise Unavailable("away")
        return "done"

    result = run(
        retry_while_unavailable(
            operation,
            lambda why, delay: told.append((str(why), delay)),
            sleep=sleeping(slept),
            jitter=lambda: 1,
        )
    )
    assert result == "done"
    assert told == [("away", delay) for delay in slept]
    assert slept[:3] == [0.25, 0.5, 1]
    assert max(slept) == LONGEST_DELAY


def test_a_real_error_is_passed_on_at_once() -> None:
    slept: list[float] = []

    async def operation() -> None:
        raise WarehouseError("refused")

    with pytest.raises(WarehouseError, match="refused"):
        run(retry_while_unavailable(operation, sleep=sleeping(slept)))
    assert slept == []


def test_waiting_can_be_cancelled() -> None:
    async def operation() -> None:
        raise Unavailable("away")

    async def cancel() -> None:
        waits = asyncio.Event()
        forever: Callable[[float], Awaitable[object]] = lambda _: asyncio.Event().wait()  # noqa: E731
        waiting = asyncio.create_task(
            retry_while_unavailable(operation, lambda *_: waits.set(), sleep=forever)
        )
        await waits.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(cancel())


def test_an_insert_goes_through_when_the_server_comes_and_after_it_was_killed(tmp_path: Path) -> None:
    port = free_port()
    server = clickhouse_process(port, tmp_path)
    settings = ClickHouseSettings(url=f"http://127.0.0.1:{port}", connect_timeout=1)
    warehouse = connect(settings)
    waits: list[str] = []

    async def start(_: float) -> None:
        """Instead of sleeping: the third time, the server comes up."""
        if len(waits) == 3:
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(migrate, settings)

    def write(span: str) -> None:
        table = spans({"project_id": "p", "trace_id": "0" * 32, "span_id": span})
        run(
            retry_while_unavailable(
                lambda: insert(warehouse, "spans_versions", table),
                lambda why, _: waits.append(str(why)),
                sleep=start,
            )
        )

    try:
        write("first")
        assert len(waits) == 3
        server.stop(signal.SIGKILL)
        waits.clear()
        write("second")
        assert len(waits) == 3
        assert rows(warehouse, "SELECT span_id FROM spans ORDER BY span_id") == [("first",), ("second",)]
    finally:
        server.stop()
