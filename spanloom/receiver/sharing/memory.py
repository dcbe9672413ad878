"""Memory goes back to the system after much of it was needed; by itself much of it would stay with the process.

Needed by large requests, or by gRPC for what it throws away: it reads floods of frames faster than it frees them.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
from pathlib import Path

from spanloom.receiver.sharing.room import Room

_LOOK = 1.0
"""Seconds between two looks."""

_MUCH, _LITTLE = 64 << 20, 8 << 20
"""Bytes that the process has grown by after which memory is given back, and bytes in flight at which there is time for
it: hundredths of a second."""

_STATM = Path("/proc/self/statm")


async def give_back(room: Room) -> None:
    """Give memory back whenever the process has grown and few bytes are in flight; until cancelled."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others give back by themselves
    if trim is None:
        await asyncio.Event().wait()  # for ever
        return
    least = _resident()
    while True:
        await asyncio.sleep(_LOOK)
        least = min(least, _resident())
        if _resident() > least + _MUCH and room.bytes < _LITTLE:
            gc.collect()
            trim(0)
            least = _resident()


def _resident() -> int:
    """The bytes that the process has in memory (proc(5): statm's second number, in pages)."""
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
