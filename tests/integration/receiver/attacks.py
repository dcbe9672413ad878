"""Sixty-four senders of one key who want a receiver to fail everybody: `python -m … HTTP_PORT GRPC_PORT KEY`.

In a process of its own, until it is killed, so that whoever else sends is not slowed down by it. Prints a line when all
of them have begun.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import itertools
import selectors
import socket
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from tests.integration.receiver.receiving import EXPORT

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEBIBYTE = 1 << 20

SLOW = 800
"""Bodies that never come to their end. With all other senders they stay below the 1,024 connections that an address may
have: whoever else sends has the same one here."""


def json_bomb() -> bytes:
    """Twenty-two million empty objects where spans stand, in 64 kB."""
    objects = b",".join([b"{}"] * ((63 << 20) // 3))
    return gzip.compress(b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + objects + b"]}]}]}", 9)


def json_span_bomb() -> bytes:
    """The same inside one span."""
    objects = b",".join([b"{}"] * ((63 << 20) // 3))
    return gzip.compress(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"a":[' + objects + b"]}]}]}]}", 9)


def protobuf_bomb() -> bytes:
    """Thirty-two million empty resources."""
    return gzip.compress(b"\x0a\x00" * (31 << 20), 9)


def zeros(pack: Callable[[bytes], bytes]) -> bytes:
    """A gibibyte of nothing."""
    return pack(bytes(1 << 30))


class Attack:
    """The senders, each a thread."""

    def __init__(self, http_port: int, grpc_port: int, key: str) -> None:
        self._http_port = http_port
        self._grpc_port = grpc_port
        self._key = key
        bodies = (
            *(("application/json", "gzip", body()) for body in (json_bomb, json_span_bomb)),
            ("application/x-protobuf", "gzip", protobuf_bomb()),
            ("application/x-protobuf", "gzip", zeros(gzip.compress)),
            ("application/x-protobuf", "zstd", zeros(zstd.compress)),
            ("application/x-protobuf", "deflate", zeros(zlib.compress)),
        )
        senders: list[Callable[[], None]] = []
        for body in itertools.islice(itertools.cycle(bodies), 42):
            senders.append(lambda body=body: self._post(*body))  # type: ignore[misc]
        large, allowed = bytes(60 * MEBIBYTE), b"\x0a\x82\x80\x80\x03" + bytes(6 * MEBIBYTE + 2)
        senders += [lambda: self._export(large)] * 8 + [lambda: self._export(allowed)] * 7
        senders += [self._half_a_message] * 6
        self._threads = [threading.Thread(target=self._again, args=(one,), daemon=True) for one in senders]
        self._threads.append(threading.Thread(target=self._slow_bodies, daemon=True))
        assert len(self._threads) == 64

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def _again(self, send: Callable[[], None]) -> None:
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException, grpc.RpcError):
                send()
            time.sleep(0.01)

    def _post(self, content_type: str, encoding: str, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._http_port, timeout=30)
        headers = {"Content-Type": content_type, "Content-Encoding": encoding, "x-api-key": self._key}
        with contextlib.closing(connection):
            connection.request("POST", "/v1/traces", body, headers)
            connection.getresponse().read()

    def _channel(self) -> grpc.Channel:
        options = (("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1))
        return grpc.insecure_channel(f"127.0.0.1:{self._grpc_port}", options)

    def _export(self, body: bytes) -> None:
        with self._channel() as channel:
            call: Any = channel.unary_unary(EXPORT)
            call(body, metadata=(("x-api-key", self._key),), timeout=30)

    def _half_a_message(self) -> None:
        """A hundred calls of one connection whose message does not come."""
        end = threading.Event()

        def nothing() -> Iterator[bytes]:
            end.wait(20)
            yield b""

        with self._channel() as channel:
            call: Any = channel.stream_unary(EXPORT)
            calls = [call.future(nothing(), metadata=(("x-api-key", self._key),)) for _ in range(20)]
            end.wait(10)
            end.set()
            for one in calls:
                one.cancel()

    def _slow_bodies(self) -> None:
        """Requests that say they are 16 KiB large and send a byte a second, begun anew when they are refused."""
        head = f"POST /v1/traces HTTP/1.1\r\nHost: a\r\nx-api-key: {self._key}\r\nContent-Length: 16384\r\n\r\n\n"
        selector = selectors.DefaultSelector()
        while True:
            while len(selector.get_map()) < SLOW:
                connection = socket.create_connection(("127.0.0.1", self._http_port), timeout=30)
                connection.sendall(head.encode())
                selector.register(connection, selectors.EVENT_READ)
            for answered, _ in selector.select(0):
                selector.unregister(answered.fileobj)
                answered.fileobj.close()  # type: ignore[union-attr]
            for key in list(selector.get_map().values()):
                with contextlib.suppress(OSError):
                    key.fileobj.send(b"x")  # type: ignore[union-attr]
            time.sleep(1)


if __name__ == "__main__":
    attack = Attack(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    attack.start()
    time.sleep(3)
    print("all have begun", flush=True)
    time.sleep(600)
