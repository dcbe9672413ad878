"""µs of CPU a span that parsing alone takes: `python -m benchmarks.rivals.parse_limit`. No server, nothing else done.

* `ptars`: the bytes of OTLP messages to Arrow, as spanloom's first stage does (spanloom/spans/reading/columns/wire.py),
  attributes left as the bytes that they are;
* `official`: the same messages to objects of opentelemetry-proto's classes, attributes included, none of them read.

Both are floors: nothing that reads OTLP in Python this way can be faster.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load.encode import SPANS_PER_MESSAGE
from benchmarks.load.kinds import KINDS
from benchmarks.load.work import Work
from spanloom.spans.reading.columns.wire import parse

_BYTES = 16 << 20  # of messages parsed at once: what spanloom's first stage takes


def cost(
    parsed: Callable[[Sequence[bytes]], object], batches: Sequence[Sequence[bytes]], spans: int
) -> float:
    """µs of CPU a span, of one pass over all batches."""
    gc.collect()
    begun = time.process_time()
    for batch in batches:
        parsed(batch)
    return 1e6 * (time.process_time() - begun) / spans


def official(batch: Sequence[bytes]) -> list[ExportTraceServiceRequest]:
    """Parse with opentelemetry-proto."""
    return [ExportTraceServiceRequest.FromString(message) for message in batch]


def _batches(values: Sequence[bytes], size: int) -> list[Sequence[bytes]]:
    found: list[list[bytes]] = [[]]
    taken = 0
    for value in values:
        if taken >= size:
            found.append([])
            taken = 0
        found[-1].append(value)
        taken += len(value)
    return [*found]


@dataclass(frozen=True)
class Limits:
    """µs of CPU a span, the best of some passes."""

    spans: int
    bytes: float
    """Of a span, on average."""
    ptars: float
    official: float


def parse_limits(work: Work, passes: int) -> Limits:
    """Measure both on a load, all of which is in memory meanwhile."""
    load = work.load()
    values = list(work.values(load))
    spans = load.truth.all.spans
    batches = _batches(values, _BYTES)
    ptars, found = (min(cost(parsed, batches, spans) for _ in range(passes)) for parsed in (parse, official))
    return Limits(spans, sum(map(len, values)) / spans, ptars, found)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals.parse_limit", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--spans", type=int, default=40_000, help="%(default)s")
    parser.add_argument("--kind", choices=KINDS, default="chat", help="kind of load (%(default)s)")
    parser.add_argument("--per-message", type=int, default=SPANS_PER_MESSAGE, help="%(default)s spans")
    parser.add_argument("--times", type=int, default=5, help="passes, of which the best counts (%(default)s)")
    arguments = parser.parse_args()
    work = Work(arguments.spans, arguments.kind, arguments.per_message)
    limits = parse_limits(work, arguments.times)
    print(f"{limits.spans:,} spans of {limits.bytes:,.0f} bytes, {work.per_message} a message")
    for name, best in (("ptars", limits.ptars), ("official", limits.official)):
        print(f"  {name:<10} {best:6.2f} µs a span, {1e6 / best:10,.0f} spans a CPU-second")


if __name__ == "__main__":
    main()
