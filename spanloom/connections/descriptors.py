"""How many connections the limit of open files leaves room for."""

from __future__ import annotations

import resource

_HIGHEST = 65_536
"""Open files that are enough; where there is no limit the kernel's own is a billion."""

_RESERVE = 64
"""Open files that are no client's: log, event loop, Kafka, ClickHouse, certificates, and the probes' connections."""

_LEAST = 4
"""Connections that a port takes, however low the limit is."""


def raise_limit() -> int:
    """Raise the soft limit of open files to the hard one, and return it: 1,024 is the usual soft one, for `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    aim = _HIGHEST if hard == resource.RLIM_INFINITY else min(hard, _HIGHEST)
    if soft != resource.RLIM_INFINITY and soft < aim:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
        except (OSError, ValueError):
            return soft  # macOS has a lower one of its own
        return aim
    return aim if soft == resource.RLIM_INFINITY else soft


def room(limit: int, wanted: int, ports: int = 1) -> int:
    """Return how many connections each port may have, so that a process never runs out of open files.

    Args:
        limit: open files that the process may have.
        wanted: connections that each port is to have at most.
        ports: ports that the process has for clients, not counting the probes'.
    """
    reserve = max(_RESERVE, limit // 8)
    return max(_LEAST, min(wanted, (limit - reserve) // ports))
