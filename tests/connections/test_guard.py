"""A listening socket that hands out what its guard admits, in a loop of this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from spanloom.connections.count import Count
from spanloom.connections.guard import Guard, Listener, listen
from spanloom.local.ports import free_port


async def _echoed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(1))
    await writer.drain()
    await reader.read()
    writer.close()


def served(
    count: Count, act: Callable[[tuple[str, int], Listener], Awaitable[None]], timeout: float = 60
) -> None:
    """Serve while something is done with the address and the listener."""

    async def run() -> None:
        (listener,) = listen("127.0.0.1", 0, Guard("test", count, timeout))
        async with await asyncio.start_server(_echoed, sock=listener):
            await asyncio.wait_for(act(listener.getsockname(), listener), 60)

    asyncio.run(run())


async def is_served(address: tuple[str, int]) -> bool:
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(b"x")
        return await reader.read(1) == b"x"
    except ConnectionError:
        return False
    finally:
        writer.close()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110, nobody sets an event
        await asyncio.sleep(0.01)


def test_connections_are_counted_while_they_are_open() -> None:
    count = Count(2, 2)

    async def act(address: tuple[str, int], _: Listener) -> None:
        held = [await asyncio.open_connection(*address) for _ in range(2)]
        await until(lambda: count.total == 2)
        assert not await is_served(address)
        held[0][1].close()
        await until(lambda: count.total == 1)
        assert await is_served(address)
        held[1][1].transport.abort()
        await until(lambda: count.total == 0)

    served(count, act)


def test_a_connection_that_brings_nothing_is_ended() -> None:
    count = Count(2, 2)

    async def act(address: tuple[str, int], _: Listener) -> None:
        reader, writer = await asyncio.open_connection(*address)
        assert await reader.read() == b""
        writer.close()
        await until(lambda: count.total == 0)

    served(count, act, timeout=0.05)


@contextlib.contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_file_to_open_a_connection_is_refused_and_the_next_one_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As where another part of the process uses up all there are."""
    count = Count(10, 10)

    async def act(address: tuple[str, int], _: Listener) -> None:
        with socket.create_connection(address) as client:
            client.setblocking(False)
            with no_more_files():
                assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
        assert await is_served(address)

    served(count, act)
    assert [record.message for record in caplog.records] == [
        "test: connections are refused: the process has too many files open"
    ]


def test_a_socket_that_is_closed_twice_is_counted_once() -> None:
    count = Count(1, 1)

    async def act() -> None:
        (listener,) = listen("127.0.0.1", 0, Guard("test", count, 60))
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            assert count.total == 1
            accepted.close()
            accepted.close()
        assert count.total == 0
        listener.close()
        listener.close()

    asyncio.run(act())


def test_a_taken_port_is_an_error_and_every_address_of_a_name_is_bound() -> None:
    guard = Guard("test", Count(1, 1), 60)
    port = free_port()
    listeners = listen("localhost", port, guard)
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
        assert {listener.getsockname()[0] for listener in listeners} == addresses
        listeners[0].listen()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", port, guard)
    finally:
        for listener in listeners:
            listener.close()
