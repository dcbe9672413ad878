"""One process that sends OTLP to a receiver over many connections, as many SDKs would.

Started by `benchmarks.receiver.throughput`: it prints `ready` once everything is connected, begins when it is given a
line, and prints what came of it as JSON. Without a rate every connection sends its next message as soon as the last
one is answered. With one, messages are due at fixed times whatever the answers do, and a latency begins when its
message was due: a receiver that stands still is not spared the messages that come meanwhile.
"""

from __future__ import annotations

import argparse
import array
import asyncio
import json
import struct
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

TRANSPORTS = ("http", "http-gzip", "http-json", "grpc")

_HEAD = struct.Struct(">BBBBQ")
"""An ID in front of a message: a ResourceSpans (field 1) whose schema_url (field 3) is eight bytes. Protobuf takes
messages that stand one behind the other for one."""

HEAD_BYTES = _HEAD.size

_PAUSE = 0.2  # seconds until a connection sends again that was asked to retry later

Send = Callable[[bytes], Awaitable[str]]
"""Sends one message; returns '' where it is stored, else why not."""


def marked(number: int, message: bytes) -> bytes:
    """Return a message with an ID in front."""
    return _HEAD.pack(0x0A, 10, 0x1A, 8, number) + message


def mark_of(message: bytes) -> int:
    """Return the ID of a message."""
    return int(_HEAD.unpack(message[:HEAD_BYTES])[4])


def write_messages(path: Path, messages: Iterable[tuple[int, bytes]]) -> None:
    """Write messages, each with the number of its spans, for `read_messages`."""
    with path.open("wb") as file:
        for spans, message in messages:
            file.write(struct.pack(">II", spans, len(message)) + message)


def read_messages(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read what `write_messages` has written."""
    content = memoryview(path.read_bytes())
    while content:
        spans, size = struct.unpack(">II", content[:8])
        yield spans, bytes(content[8 : 8 + size])
        content = content[8 + size :]


@dataclass
class Result:
    """What came of it; latencies in seconds."""

    acknowledged: int = 0
    spans: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)


class Sender:
    """Sends messages in turn and notes what is acknowledged.

    Args:
        messages: each with the number of its spans.
        first_mark: the ID of the first message; None sends them as they are.
    """

    def __init__(self, messages: list[tuple[int, bytes]], first_mark: int | None) -> None:
        self.result = Result()
        self.acknowledged = array.array("Q")
        self._messages = messages
        self._next_mark = first_mark
        self._position = 0

    async def send(self, send: Send, due: float) -> bool:
        """Send the next message and note how long after `due`, of the monotonic clock, it was acknowledged."""
        spans, message = self._messages[self._position % len(self._messages)]
        self._position += 1
        mark = self._next_mark
        if mark is not None:
            message = marked(mark, message)
            self._next_mark = mark + 1
        refused = await send(message)
        if refused:
            self.result.refused[refused] = self.result.refused.get(refused, 0) + 1
            return False
        self.result.latencies.append(time.monotonic() - due)
        self.result.acknowledged += 1
        self.result.spans += spans
        if mark is not None:
            self.acknowledged.append(mark)
        return True


async def closed_loop(sender: Sender, connections: list[Send], seconds: float) -> None:
    """Every connection sends its next message when the last one is answered."""
    end = time.monotonic() + seconds

    async def one(send: Send) -> None:
        while (now := time.monotonic()) < end:
            if not await sender.send(send, now):
                await asyncio.sleep(_PAUSE)

    await asyncio.gather(*map(one, connections))


async def open_loop(sender: Sender, connections: list[Send], seconds: float, rate: float) -> None:
    """Messages are due at a rate; each takes the next connection that is free."""
    free: asyncio.Queue[Send] = asyncio.Queue()
    for send in connections:
        free.put_nowait(send)

    async def one(due: float) -> None:
        send = await free.get()
        await sender.send(send, due)
        free.put_nowait(send)

    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.create_task(one(due))


@asynccontextmanager
async def connected(transport: str, port: int, count: int) -> AsyncIterator[list[Send]]:
    """`count` connections to a receiver."""
    async with AsyncExitStack() as stack:
        connections: list[Send] = []
        for _ in range(count):
            opened = _grpc(port) if transport == "grpc" else _http(transport, port)
            connections.append(await stack.enter_async_context(opened))
        for send in connections:
            await send(b"")
        yield connections


@asynccontextmanager
async def _grpc(port: int) -> AsyncIterator[Send]:
    # A pool of its own: else channels to one address share a connection.
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call: Any = channel.unary_unary(EXPORT)

        async def send(message: bytes) -> str:
            try:
                await call(message, timeout=60)
            except grpc.RpcError as error:
                return str(error.code().name)
            return ""

        yield send


@asynccontextmanager
async def _http(transport: str, port: int) -> AsyncIterator[Send]:
    headers = {"Content-Type": "application/json" if transport == "http-json" else "application/x-protobuf"}
    if transport == "http-gzip":
        headers["Content-Encoding"] = "gzip"
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def send(message: bytes) -> str:
            # Nothing to unpack in the first, empty one.
            given = {} if message else {"Content-Encoding": "identity"}
            try:
                async with session.post(
                    f"http://127.0.0.1:{port}/v1/traces", data=message, headers=given
                ) as answer:
                    await answer.read()
                    return "" if answer.status == 200 else str(answer.status)
            except (aiohttp.ClientError, TimeoutError) as error:
                return type(error).__name__

        yield send


async def _run(arguments: argparse.Namespace) -> Sender:
    sender = Sender(list(read_messages(arguments.messages)), arguments.first_mark)
    async with connected(arguments.transport, arguments.port, arguments.connections) as connections:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if arguments.rate:
            await open_loop(sender, connections, arguments.seconds, arguments.rate)
        else:
            await closed_loop(sender, connections, arguments.seconds)
    return sender


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiver.senders")
    parser.add_argument("--transport", choices=TRANSPORTS, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second; 0 is as fast as it goes")
    parser.add_argument("--messages", type=Path, required=True, help="file of write_messages")
    parser.add_argument("--first-mark", type=int, help="ID of the first message; each gets one then")
    parser.add_argument("--acknowledged", type=Path, help="file for the IDs of those acknowledged")
    arguments = parser.parse_args()
    sender = asyncio.run(_run(arguments))
    if arguments.acknowledged:
        arguments.acknowledged.write_bytes(sender.acknowledged.tobytes())
    print(json.dumps(asdict(sender.result)))


if __name__ == "__main__":
    main()
