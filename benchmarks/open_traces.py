"""Memory of open traces, and how fast a changelog is read back: `python -m benchmarks.open_traces [--traces 200000]`.

Traces of ten spans with realistic texts (`benchmarks.load`), a hundred spans a message, in one partition. The states
alone, without Kafka and ClickHouse: resident memory a trace while all are open, CPU to read the changelog back.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.load.encode import messages
from benchmarks.load.load import Load
from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.entry import ChangelogRecord
from spanloom.agents.state.traces import TracePartition
from spanloom.spans.folding import facts
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode

NOW = 1_800_000_000_000
HOUR = 3_600_000


def resident() -> int:
    """What the process holds now, bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def facts_messages(traces: int) -> Iterator[bytes]:
    """What ingest sends on."""
    limits, prices, version = Limits(), Prices(), 0
    for message in messages(Load(traces * 10, start=NOW * 1_000_000, rate=5000).spans(), 100):
        table = decode([OtlpMessage(message)], limits=limits, prices=prices).table
        versions = pa.array(np.arange(version + 1, version + 1 + table.num_rows, dtype=np.uint64))
        version += table.num_rows
        yield from (value for _, value in facts.encode_table(table.append_column("version", versions), 1))


def state() -> TracePartition:
    """Return an empty state."""
    return TracePartition(3600, HOUR, NOW - 10 * HOUR)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--traces", type=int, default=200_000)
    traces: int = parser.parse_args().traces
    gc.set_threshold(100_000, 50, 100)  # as the worker does
    warm = state()
    for value in facts_messages(100):
        warm.apply(facts.decode(value), value, NOW, 1)
        warm.collect()
    gc.collect()
    before = resident()
    running = state()
    changelog: list[ChangelogRecord] = []  # the same objects that the state holds, no copies
    for offset, value in enumerate(facts_messages(traces)):
        running.apply(facts.decode(value), value, NOW + offset // 1000, offset)
        changelog += [record for record in running.collect().changelog if record[0] != CLOCK_RECORD]
    gc.collect()
    size, written = len(running), sum(len(value or b"") for _, value in changelog)
    print(f"{size} open traces: {(resident() - before) / size / 1024:.1f} KiB each")
    print(f"{written / size / 1024:.1f} KiB of changelog each")
    again = state()
    started = time.process_time()
    for record in changelog:
        again.restore(*record)
    again.restored()
    print(f"read back: {size / (time.process_time() - started):,.0f} traces a CPU-second")
    assert len(again) == size


if __name__ == "__main__":
    main()
