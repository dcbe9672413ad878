"""What spans cost the database: `python -m benchmarks.inserts`.

Decodes a load of each kind and inserts its rows into a database of its own, in batches as the first stage makes them:
CPU time of ClickHouse and its local HTTP front a span, with the merges of the next seconds. Once as they are decoded,
and once as they are stored: each text once, in the order of the table.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.load.encode import messages
from benchmarks.load.kinds import KINDS, Kind
from benchmarks.load.load import Load
from benchmarks.parts import Process, database
from spanloom.agents.stages.ingest import SPANS_TABLE, stored_rows
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from spanloom.warehouse.write import insert

_BATCH = 16 << 20  # bytes
_LOAD = 80_000_000  # bytes of a kind, about
_SETTLED = 3.0  # seconds until what has been inserted is merged

WAYS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "as decoded": lambda table: table,
    "as stored": stored_rows,
}


def tables(kind: Kind, size: int = _LOAD) -> Iterator[pa.Table]:
    """Span tables with versions of about so many bytes of OTLP, a batch each."""
    prices, batch, held, left = Prices(), list[OtlpMessage](), 0, size
    start = time.time_ns()
    # More spans than are read: none takes as few as a hundred bytes.
    for value in messages(Load(size // 100, start=start, kind=kind).spans()):
        batch.append(OtlpMessage(value))
        held += len(value)
        left -= len(value)
        if held < _BATCH and left > 0:
            continue
        table = decode(batch, limits=Limits(), prices=prices).table
        versions = np.full(table.num_rows, start // 1_000_000 << 22, np.uint64)
        yield table.append_column(pa.field("version", pa.uint64(), False), pa.array(versions))
        if left <= 0:
            return
        batch, held = [], 0


def cost(process: Process, warehouse: Warehouse, rows: Iterable[pa.Table]) -> float:
    """µs of the database's CPU a row."""
    before, count = process.cpu(), 0
    for table in rows:
        asyncio.run(insert(warehouse, SPANS_TABLE, table))
        count += table.num_rows
    time.sleep(_SETTLED)
    return 1e6 * (process.cpu() - before) / count


def main() -> None:
    """Run from the command line."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.inserts", description=(__doc__ or "").split("\n")[0]
    ).parse_args()
    print(f"| µs a span | {' | '.join(WAYS)} |\n|---|{'---|' * len(WAYS)}")
    for name in ("chat", "agents", "plain"):
        decoded = list(tables(KINDS[name]))
        found = []
        for way in WAYS.values():
            rows = [way(table) for table in decoded]
            with (
                tempfile.TemporaryDirectory(prefix="spanloom-inserts-") as folder,
                database(Path(folder)) as parts,
            ):
                process, url = parts
                settings = ClickHouseSettings(url=url, compression="none")
                migrate(settings)
                found.append(cost(process, connect(settings), rows))
        print(f"| {name} | {' | '.join(f'{one:.1f}' for one in found)} |", flush=True)


if __name__ == "__main__":
    main()
