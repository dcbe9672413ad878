"""One connection to ClickHouse for a whole process.

Measured (20,000 spans of 2.8 kB, loopback): the driver's blocking client in a thread takes 2.0 µs of CPU a
span without compression and holds the event loop for 4 ms; the driver's own asyncio client takes 6.6 µs and
holds it for 48 ms, because it copies and sends the body on the loop. So the blocking client it is.

Its threads are daemons, one a call: a cancelled call goes on in the background until its timeout, and must
not keep the process from ending. What such a call still writes is harmless, since rows carry versions.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.external import ExternalData

from spanloom.warehouse.errors import CONNECTION_BROKE, SchemaError, Unavailable, WarehouseError, translate
from spanloom.warehouse.settings import ClickHouseSettings

__all__ = [
    "SchemaError",
    "Unavailable",
    "Warehouse",
    "WarehouseError",
    "connect",
    "new_client",
]

Result = TypeVar("Result")

WAIT_FOR_THE_END = {"wait_end_of_query": "1", "send_progress_in_http_headers": "0"}
"""Settings by which the HTTP status of an answer is right: ClickHouse would send 200 with the first progress header,
before it knows how the statement ends."""

# `translate` reports what went wrong, once; the driver would log every failed attempt as well.
for _name in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.ERROR)


def connect(settings: ClickHouseSettings) -> Warehouse:
    """Return the warehouse. Talks to ClickHouse with the first use only, so it never fails."""
    return Warehouse(settings)


class Warehouse:
    """ClickHouse as the other parts see it: coroutines, and errors of two kinds.

    Every method raises `Unavailable` if it would help to wait, and `WarehouseError` if not. All may be
    called at the same time: the driver's client is safe to share between threads as long as it has no
    session, and its pool opens a connection for each thread that needs one.
    """

    def __init__(self, settings: ClickHouseSettings) -> None:
        self.settings = settings
        self._client: Client | None = None
        self._connecting = threading.Lock()
        self._failures = 0
        self._failure: Exception | None = None  # of the last attempt to connect

    async def query_arrow(
        self,
        what: str,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        wanted: pa.Table | None = None,
    ) -> pa.Table:
        """Return the result as an Arrow table, with ClickHouse's types.

        Args:
            what: what the query does, for errors: the end of "ClickHouse could not …".
            parameters: values of `{name:Type}` in the SQL.
            wanted: keys, visible to the SQL as the table `wanted`. It has no limit in size, and unlike a
                literal nothing in it needs escaping.
        """
        external = None if wanted is None else _external_table("wanted", wanted)
        return await self.run(
            what,
            lambda client: client.query_arrow(
                sql, dict(parameters or {}), settings=WAIT_FOR_THE_END, external_data=external
            ),
            quote=wanted is None,
        )

    async def query_rows(
        self, what: str, sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """Return the result as one dictionary a row: times are aware datetimes, cut to microseconds."""

        def work(client: Client) -> list[dict[str, Any]]:
            result = client.query(sql, dict(parameters or {}), settings=WAIT_FOR_THE_END, tz_mode="aware")
            return list(result.named_results())

        return await self.run(what, work)

    async def insert_arrow(self, table: str, rows: pa.Table, settings: Mapping[str, str]) -> None:
        """Insert rows; when this returns they are in the table."""
        await self.run(
            f"insert into {table}",
            lambda client: client.insert_arrow(
                table, rows, settings={**known_settings(client, settings), **WAIT_FOR_THE_END}
            ),
            quote=False,
        )

    async def ping(self) -> None:
        """Return if ClickHouse answers a query."""
        await self.run("answer", lambda client: client.command("SELECT 1", settings=WAIT_FOR_THE_END))

    async def run(self, what: str, work: Callable[[Client], Result], quote: bool = True) -> Result:
        """Do blocking work with the driver's client in a thread of its own."""
        return await _in_daemon_thread(lambda: self.run_blocking(what, work, quote))

    def run_blocking(self, what: str, work: Callable[[Client], Result], quote: bool = True) -> Result:
        """Do blocking work with the driver's client in this thread."""
        try:
            return work(self._connected())
        except (ClickHouseError, *CONNECTION_BROKE, pa.ArrowException) as error:
            raise translate(error, what, self.settings.url, quote) from None

    def close(self) -> None:
        """Close idle connections. Running calls end by themselves."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        """The client; connects where there is none yet, one call at a time.

        Calls that waited while another's attempt failed fail with its error. If each tried after it, the last of ten
        would wait ten timeouts for a ClickHouse that hangs.
        """
        failures = self._failures
        with self._connecting:
            if self._client is not None:
                return self._client
            if self._failure is not None and self._failures != failures:
                raise self._failure.with_traceback(None)
            try:
                self._client = new_client(self.settings, self.settings.database)
            except Exception as error:
                self._failures, self._failure = self._failures + 1, error
                raise
            self._failure = None
            return self._client


def known_settings(client: Client, settings: Mapping[str, str]) -> dict[str, str]:
    """Without the settings that this version of ClickHouse does not have."""
    return {name: value for name, value in settings.items() if name in client.server_settings}


def new_client(settings: ClickHouseSettings, database: str | None) -> Client:
    """Return a new client of the driver; asks the server for its version and settings."""
    return clickhouse_connect.get_client(
        interface="https" if settings.secure else "http",
        host=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password.get_secret_value(),
        database=database,
        client_name="spanloom",
        connect_timeout=settings.connect_timeout,
        send_receive_timeout=settings.read_timeout,
        compress=False if settings.compression == "none" else settings.compression,
        verify=settings.verify,
        ca_cert=str(settings.cafile) if settings.cafile else None,
        settings=settings.settings,
        # A session would forbid two calls at a time, and a load balancer would break it.
        autogenerate_session_id=False,
        dedicated_pool=True,
    )


def _external_table(name: str, table: pa.Table) -> ExternalData:
    types = {pa.string(): "String", pa.int64(): "Int64"}
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    structure = ", ".join(f"{field.name} {types[field.type]}" for field in table.schema)
    return ExternalData(
        file_name=name, data=sink.getvalue().to_pybytes(), fmt="ArrowStream", structure=structure
    )


async def _in_daemon_thread(work: Callable[[], Result]) -> Result:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():  # cancelled
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def body() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=body, name="clickhouse", daemon=True).start()
    return await future
