"""What hostile input costs compared to usual input: CPU time and memory for each megabyte of OTLP.

Every case is read in a process of its own: decoded, turned into facts, and folded, as the stages do. "times" is its
CPU time a megabyte, in multiples of that of the usual load (`load/load.py`). Then histories of 1 to 10,000 messages in
each form: their CPU time a byte must stay the same, because each is read once. Linux only.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import multiprocessing.connection
import resource
import time
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from benchmarks.load.encode import messages
from benchmarks.load.histories import FORMS, history
from benchmarks.load.hostile_cases import MEGABYTE, cases
from benchmarks.load.load import Load
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode

_PRICES = Prices()
_LIMITS = Limits()
_SIZES = (1, 10, 100, 1000, 10_000)


class Cost(NamedTuple):
    """What reading some messages took."""

    bytes: int
    cpu: float
    """Seconds."""
    memory: int
    """The most that was held at once on top of what was there before, bytes."""
    rows: int


def read(values: Sequence[bytes]) -> int:
    """Send messages through spans/; returns how many rows came of them."""
    table = decode([OtlpMessage(value) for value in values], limits=_LIMITS, prices=_PRICES).table
    versions = pa.array(range(1, len(table) + 1), pa.uint64())
    for _, message in facts_codec.encode_table(table.append_column("version", versions), 8):
        for key, facts in facts_codec.decode(message):
            fold(key, list({fact.span_id: fact for fact in facts}.values()))
    return int(table.num_rows)


def cost(values: Sequence[bytes], repeat: int = 1) -> Cost:
    """What it costs to read these messages, measured in a process of its own; the best of `repeat` times."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_measure, args=(values, repeat, there))
    child.start()
    there.close()
    found: Cost = here.recv()
    child.join()
    return found


def _measure(values: Sequence[bytes], repeat: int, answer: multiprocessing.connection.Connection) -> None:
    gc.collect()
    before = _peak()
    took, rows = [], 0
    for _ in range(repeat):
        began = time.process_time()
        rows = read(values)
        took.append(time.process_time() - began)
    answer.send(Cost(sum(map(len, values)), min(took), _peak() - before, rows))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    read(list(messages(Load(500, start=1_795_000_000).spans())))  # what is loaded on first use

    usual_values = list(messages(Load(4000, start=1_795_000_000).spans()))
    usual = cost(usual_values, repeat=3)
    usual_rate = usual.cpu / usual.bytes
    print(f"{'case':50} {'MB':>6} {'rows':>6} {'CPU ms/MB':>10} {'times':>6} {'memory MB/MB':>13}")
    _line("the usual load", usual, usual_rate)
    for name, value in cases():
        if options.only in name:
            _line(name, cost([value]), usual_rate)

    print(f"\n{'histories: CPU ms a MB, messages:':50}" + "".join(f"{size:>8}" for size in _SIZES))
    for form in FORMS:
        if options.only in form:
            print(f"{form:50}" + "".join(f"{_history_rate(form, size):8.1f}" for size in _SIZES))


def _history_rate(form: str, size: int) -> float:
    """CPU ms a MB of messages, less what as many calls without messages cost."""
    values = history(form, size)
    found = cost(values, repeat=3)
    return 1000 * (found.cpu - cost(history(form, 0, len(values)), repeat=3).cpu) / found.bytes * MEGABYTE


def _line(name: str, found: Cost, usual: float) -> None:
    rate = found.cpu / found.bytes
    print(
        f"{name:50} {found.bytes / MEGABYTE:6.2f} {found.rows:6} {1000 * rate * MEGABYTE:10.1f} "
        f"{rate / usual:6.1f} {found.memory / found.bytes:13.1f}"
    )


if __name__ == "__main__":
    main()
