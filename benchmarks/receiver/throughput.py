"""How many spans the receiver takes in a second of its CPU time, received *and* acknowledged by Kafka.

1. start a broker (the local one, or Apache Kafka with `--broker kafka`) and one receiver;
2. for each transport and size of message: several processes send over 200 connections as fast as they are answered;
   CPU time of the receiver process and what was acknowledged in that time are the result;
3. the same at half of the rate that came out of it: latencies, from the moment a message was due.

With `--endure SECONDS`: overload, see `benchmarks.receiver.endure`.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import itertools
import json
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load.encode import messages
from benchmarks.load.load import Load
from benchmarks.parts import BenchmarkError
from benchmarks.receiver.generators import Generators
from benchmarks.receiver.parts import Receiver, kafka
from benchmarks.receiver.senders import TRANSPORTS, write_messages

_GENERATORS = 2  # processes that send
_SPANS = 20_000  # different spans; sent again and again


@dataclass(frozen=True)
class Measured:
    """One transport with one size of message. Times in seconds, CPU times of the receiver process."""

    transport: str
    spans_per_message: int
    bytes_per_message: int
    """As sent."""
    messages: int
    """Acknowledged."""
    spans: int
    wall: float
    cpu: float
    refused: int
    p50: float
    """Latencies at half of the rate."""
    p95: float
    p99: float
    longest: float
    half_rate: float
    """Messages a second of the latencies."""

    @property
    def spans_per_cpu_second(self) -> float:
        """The number to compare."""
        return self.spans / self.cpu


def make_messages(folder: Path, spans: int, per_message: int) -> dict[str, Path]:
    """Write the load for each transport; returns the files."""
    load = Load(spans, start=time.time_ns(), seed=1)
    counted = list(_counted(messages(load.spans(), per_message), per_message, load.traces * 10))
    packed = {
        "http": counted,
        "grpc": counted,
        "http-gzip": [(count, gzip.compress(message, 6)) for count, message in counted],
        "http-json": [(count, _as_json(message)) for count, message in counted],
    }
    files = {}
    for transport, some in packed.items():
        files[transport] = folder / f"{transport}-{per_message}.messages"
        write_messages(files[transport], some)
    return files


def _counted(some: Iterable[bytes], per_message: int, left: int) -> Iterator[tuple[int, bytes]]:
    for message in some:
        yield min(per_message, left), message
        left -= per_message


def _as_json(message: bytes) -> bytes:
    """As OTLP has it: IDs are hexadecimal, where protobuf's own JSON has base64."""
    document: dict[str, Any] = MessageToDict(ExportTraceServiceRequest.FromString(message))
    for resource_spans in document["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = b64decode(span[name]).hex()
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _generators(receiver: Receiver, file: Path, transport: str, rate: float, options: Options) -> Generators:
    command = ["--transport", transport, "--port", str(receiver.port(transport)), "--messages", str(file)]
    command += ["--connections", str(options.connections // _GENERATORS), "--seconds", str(options.seconds)]
    return Generators([[*command, "--rate", str(rate / _GENERATORS)]] * _GENERATORS)


@dataclass(frozen=True)
class Options:
    """What can be chosen."""

    connections: int
    seconds: float


def measure(receiver: Receiver, file: Path, transport: str, per_message: int, options: Options) -> Measured:
    """Measure one transport with one size of message."""
    fast = _generators(receiver, file, transport, 0.0, options)
    cpu, began = receiver.process.cpu(), time.monotonic()
    fast.go()
    results = fast.results()
    cpu, wall = receiver.process.cpu() - cpu, time.monotonic() - began
    acknowledged = sum(result["acknowledged"] for result in results)
    rate = acknowledged / wall / 2
    half = _generators(receiver, file, transport, rate, options)
    half.go()
    took = sorted(itertools.chain.from_iterable(result["latencies"] for result in half.results()))
    if not took:
        raise BenchmarkError(f"nothing was acknowledged over {transport}; see {receiver.process.log}")

    def percentile(part: float) -> float:
        return float(took[min(int(part * len(took)), len(took) - 1)])

    return Measured(
        transport=transport,
        spans_per_message=per_message,
        bytes_per_message=file.stat().st_size * per_message // _SPANS,
        messages=acknowledged,
        spans=sum(result["spans"] for result in results),
        wall=wall,
        cpu=cpu,
        refused=sum(sum(result["refused"].values()) for result in results),
        p50=percentile(0.50),
        p95=percentile(0.95),
        p99=percentile(0.99),
        longest=float(took[-1]),
        half_rate=rate,
    )


HEADER = (
    f"{'transport':10} {'spans':>5} {'kB':>6} {'spans/CPU-s':>12} {'µs/message':>10} {'spans/s':>9} {'refused':>7}"
    f" | at half the rate: {'messages/s':>10} {'p50':>8} {'p95':>8} {'p99':>8} {'longest':>8}"
)


def report(one: Measured) -> str:
    """A line for people."""
    milliseconds = [f"{1000 * value:6.1f}ms" for value in (one.p50, one.p95, one.p99, one.longest)]
    return (
        f"{one.transport:10} {one.spans_per_message:5} {one.bytes_per_message / 1000:6.1f}"
        f" {one.spans_per_cpu_second:12,.0f} {1e6 * one.cpu / one.messages:10,.0f} {one.spans / one.wall:9,.0f}"
        f" {one.refused:7} | {'':17} {one.half_rate:10,.0f} {' '.join(milliseconds)}"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.receiver.throughput", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--broker", choices=("local", "kafka"), default="local")
    parser.add_argument("--transport", choices=TRANSPORTS, action="append", help="only this (all)")
    parser.add_argument("--per-message", type=int, action="append", help="spans a message (500 and 10)")
    parser.add_argument("--connections", type=int, default=200, help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement (%(default)s)")
    parser.add_argument("--endure", type=float, metavar="SECONDS", help="overload instead, for so long")
    parser.add_argument("--json", action="store_true", help="print JSON for a program to read")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs that is kept")
    arguments = parser.parse_args()

    with contextlib.ExitStack() as stack:
        folder = arguments.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="spanloom-benchmark-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.endure:
            from benchmarks.receiver.endure import endure

            endured = endure(folder, arguments.broker, arguments.endure, arguments.connections)
            print(json.dumps(asdict(endured), indent=2) if arguments.json else endured.report())
            sys.exit(bool(endured.lost))
        options = Options(arguments.connections, arguments.seconds)
        results = []
        for per_message in arguments.per_message or (500, 10):
            files = make_messages(folder, _SPANS, per_message)
            for transport in arguments.transport or TRANSPORTS:
                # Each on a broker of its own: the local one keeps everything in memory.
                with (
                    kafka(folder / f"{transport}-{per_message}", arguments.broker) as broker,
                    broker.receiver() as receiver,
                ):
                    results.append(measure(receiver, files[transport], transport, per_message, options))
                if not arguments.json:
                    print(*([HEADER] if len(results) == 1 else []), report(results[-1]), sep="\n", flush=True)
    if arguments.json:
        rows = [{**asdict(one), "spans_per_cpu_second": one.spans_per_cpu_second} for one in results]
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
