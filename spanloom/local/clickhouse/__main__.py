"""A ClickHouse server for one person: `python -m spanloom.local.clickhouse --data DIR --port 8123`.

Order of a start: open the folder, listen, log it in one line. Order of a stop on SIGTERM or SIGINT:
stop listening, let running statements end (up to `STOP_DEADLINE`), close the folder, exit with 0.
A `kill -9` loses nothing that was acknowledged: an INSERT is answered after its part is in the folder.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import sys
from pathlib import Path

from spanloom.connections.aiohttp_server import serve as serve_http
from spanloom.connections.count import Count
from spanloom.connections.descriptors import raise_limit, room
from spanloom.connections.guard import Guard
from spanloom.connections.seldom import log_clients_seldom
from spanloom.local.clickhouse.engine import Engine, EngineError
from spanloom.local.clickhouse.http_server import ClickHouseHttp

# Seconds that running statements get to end after SIGTERM; the supervisor's own deadline is longer.
STOP_DEADLINE = 5.0

# ClickHouse's http_max_uri_size. Parameters stand in the URL, and a list of trace IDs is long.
MAX_URI_BYTES = 1 << 20

# Clients are programs of this machine and share an address, so nothing is counted by address.
MAX_CONNECTIONS = 256
HEAD_TIMEOUT = 10.0  # seconds
IDLE_TIMEOUT = 630.0  # seconds; clients keep idle connections for minutes

log = logging.getLogger("spanloom.clickhouse")


async def serve(engine: Engine, host: str, port: int) -> bool:
    """Answer until SIGTERM or SIGINT, then close the engine. False if a statement would not end.

    Raises `OSError` if the port is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = ClickHouseHttp(engine).application()
    # Bodies are decoded by our own code, which knows lz4 and can run in a thread.
    most = room(raise_limit(), MAX_CONNECTIONS)
    try:
        runner = await serve_http(
            application,
            host,
            port,
            Guard("clickhouse", Count(most, most), HEAD_TIMEOUT),
            idle_timeout=IDLE_TIMEOUT,
            auto_decompress=False,
            max_line_size=MAX_URI_BYTES,
            shutdown_timeout=STOP_DEADLINE,
        )
    except OSError:
        await asyncio.to_thread(engine.close, STOP_DEADLINE)
        raise
    try:
        log.info("ClickHouse %s (in-process) answers on http://%s:%d", engine.version, host, port)
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()
        closed = await asyncio.to_thread(engine.close, STOP_DEADLINE)
    return closed


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="spanloom.local.clickhouse", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the database")
    parser.add_argument("--port", type=int, default=8123, help="HTTP port (8123)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (127.0.0.1)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    log_clients_seldom()
    try:
        if not ipaddress.ip_address(options.host).is_loopback:
            raise ValueError
    except ValueError:
        log.error(
            "--host %s: only loopback addresses are allowed, this server asks for no password", options.host
        )
        return 2
    # Conversations lie in its files, which nobody else on the machine may read.
    os.umask(0o077)
    folder = options.data.resolve()
    if set("*?{}&") & set(str(folder)):
        log.error("--data %s: the engine takes no folder with *, ?, &, { or } in its path", folder)
        return 2
    try:
        engine = Engine(folder)
    except EngineError as error:
        log.error("%s", error)
        return 1
    except OSError as error:
        log.error("The folder %s can't be used: %s; choose another one", options.data, error.strerror)
        return 1
    try:
        closed = asyncio.run(serve(engine, options.host, options.port))
    except OSError as error:
        log.error("Port %d can't be used: %s; choose another one", options.port, error.strerror)
        return 1
    if not closed:
        log.warning("a statement did not end within %.0f s; leaving without it", STOP_DEADLINE)
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    # Not sys.exit: engine threads that still run would abort a normal interpreter exit (seen with 4.0.2).
    os._exit(code)
