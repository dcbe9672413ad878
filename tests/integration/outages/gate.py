"""A gate before a server: it lets connections through, turns them away, or answers in the server's place."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

_PATIENCE = 0.3
"""Seconds without a further byte after which a request counts as whole."""


class Gate:
    """Listens on a port of its own before the server at `port`, both on loopback."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._admitted: int | None = None
        self._answer: bytes | None = None
        self.turned_away = 0
        """Connections that were not let through."""

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listening.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        self._cut()

    def open(self) -> None:
        """Let every connection through from now on."""
        self._admitted, self._answer = None, None
        self._cut()

    def admit(self, connections: int) -> None:
        """Let so many further connections through, and close each one that follows. Those that are open stay so."""
        self._admitted = connections

    def answer(self, answer: bytes) -> None:
        """Cut all connections, and give every request this answer from now on."""
        self._answer = answer
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            turned_away = self._admitted == 0
            if self._admitted and self._answer is None:
                self._admitted -= 1
        with client, contextlib.suppress(OSError):
            if self._answer is not None:
                self.turned_away += 1
                self._answer_one(client, self._answer)
            elif turned_away:
                self.turned_away += 1
            else:
                self._relay(client)

    def _answer_one(self, client: socket.socket, answer: bytes) -> None:
        client.settimeout(_PATIENCE)
        with contextlib.suppress(TimeoutError):
            while client.recv(1 << 16):
                pass
        client.sendall(answer)

    def _relay(self, client: socket.socket) -> None:
        with socket.create_connection(self._target) as server:
            pair = {client, server}
            with self._lock:
                self._open |= pair
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()
            with self._lock:
                self._open -= pair


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def http(status: str, body: str = "", code: int | None = None) -> bytes:
    """An answer over HTTP; `code` is ClickHouse's for the error."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close"]
    if code is not None:
        head.append(f"X-ClickHouse-Exception-Code: {code}")
    return "\r\n".join([*head, "", body]).encode()
