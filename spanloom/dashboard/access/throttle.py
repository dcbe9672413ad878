"""How often somebody may try a password."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

WITHIN = 300.0
"""Seconds that a failed try counts."""

MOST_OF_BOTH = 5
"""Failed tries of one name from one address."""

MOST_OF_ADDRESS = 20
"""Failed tries of any names from one address."""

MOST_OF_NAME = 100
"""Failed tries of one name from anywhere; high, since it keeps out its owner too."""

_MOST_KEPT = 20_000  # names and addresses; the ones not seen for longest are forgotten


class Throttle:
    """Counts tries. A try counts from its beginning: sending many at once gains nothing.

    Args:
        clock: seconds, only ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait(self, name: str, address: str) -> float:
        """Count a try, or return how many seconds to wait for the next (then it was not counted)."""
        now = self._clock()
        longest = 0.0
        for key, most in self._keys(name, address):
            tries = self._tries.get(key, deque())
            while tries and tries[0] <= now - WITHIN:
                tries.popleft()
            if len(tries) >= most:
                longest = max(longest, tries[-most] + WITHIN - now)
        if longest > 0:
            return longest
        for key, _ in self._keys(name, address):
            self._tries.setdefault(key, deque()).append(now)
            self._tries.move_to_end(key)
        while len(self._tries) > _MOST_KEPT:
            self._tries.popitem(last=False)
        return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """The last try was right: this name from this address begins anew."""
        both, of_address, of_name = (key for key, _ in self._keys(name, address))
        self._tries.pop(both, None)
        for key in (of_address, of_name):
            if self._tries.get(key):
                self._tries[key].pop()

    def _keys(self, name: str, address: str) -> tuple[tuple[tuple[str, ...], int], ...]:
        place = _place(address)
        folded = name.casefold()[:200]
        return (
            (("both", folded, place), MOST_OF_BOTH),
            (("address", place), MOST_OF_ADDRESS),
            (("name", folded), MOST_OF_NAME),
        )


def _place(address: str) -> str:
    """An address; of IPv6 its network of 64 bits, of which one has as many addresses as one likes."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address
