"""While ClickHouse is away an insert is retried, and goes through when it is back."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from spanloom.local.ports import free_port
from spanloom.retry import retry
from spanloom.warehouse.client import Unavailable, connect
from spanloom.warehouse.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from spanloom.warehouse.write import insert
from tests.fixtures_local import clickhouse_process
from tests.warehouse.tables import rows, run, spans


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
            retry(
                lambda: insert(warehouse, "spans_versions", table),
                Unavailable,
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
