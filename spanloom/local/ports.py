"""Questions about TCP ports on loopback, and claims to them."""

from __future__ import annotations

import itertools
import os
import socket

import aiohttp

_RANGE = range(20_000, 32_768)
"""Below those that a kernel gives away itself (Linux from 32,768, macOS from 49,152): a client's connection could take
such a one between the question and the server's start."""

_numbers = itertools.count(os.getpid() * 1009)  # processes that ask at the same moment begin apart


class Ports:
    """The ports of one stack on 127.0.0.1, claimed before anything listens there, so that stacks that are started at
    the same moment choose different ones.

    A claim is the *UDP* port of the same number, which no part of a stack uses: the kernel gives it to one process
    only, whichever user owns that, leaves the TCP port to the part, and takes it back however the process ends. Other
    programs know nothing of claims, so the TCP port must be free as well.
    """

    def __init__(self) -> None:
        self._claims: list[socket.socket] = []

    def claim(self, port: int) -> bool:
        """Claim a port until `release`. False if it is taken, or claimed."""
        claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            return False
        if not port_is_free(port):
            claim.close()
            return False
        self._claims.append(claim)
        return True

    def choose(self, preferred: int) -> int:
        """Claim `preferred`, or any other port where that can't be had, and return it."""
        port = preferred
        while not self.claim(port):
            port = free_port()
        return port

    def release(self) -> None:
        """Give all claims back."""
        for claim in self._claims:
            claim.close()
        self._claims.clear()


def port_is_free(port: int) -> bool:
    """Whether something could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As servers do: connections of a server that has just ended must not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Any free port, another one with each call. Somebody else may take it before you do.

    Raises:
        OSError: none is left.
    """
    for number in itertools.islice(_numbers, len(_RANGE)):
        port = _RANGE[number % len(_RANGE)]
        if port_is_free(port):
            return port
    raise OSError(f"no port of 127.0.0.1 from {_RANGE.start} to {_RANGE.stop - 1} is free")


async def answers_http(url: str, timeout: float = 2.0) -> bool:
    """Whether a GET of `url` gives status 200 within `timeout` seconds."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.get(url) as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
