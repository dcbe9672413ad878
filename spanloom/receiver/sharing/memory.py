"""Memory goes back to the system after much of it was needed; by itself much of it would stay with the process."""

from __future__ import annotations

import asyncio
import ctypes
import gc

from spanloom.receiver.sharing.room import Room

_LOOK = 2.0
"""Seconds between two looks."""

_MUCH, _LITTLE = 64 << 20, 8 << 20
"""Bytes in flight after which memory is given back, and at which there is time for it: hundredths of a second."""


async def give_back(room: Room) -> None:
    """Give memory back whenever few bytes are in flight again after many were; until cancelled."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others give back by themselves
    while True:
        await asyncio.sleep(_LOOK)
        if room.most_bytes > _MUCH and room.bytes < _LITTLE:
            room.most_bytes = 0
            gc.collect()
            if trim is not None:
                trim(0)
