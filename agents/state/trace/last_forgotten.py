"""The traces of a partition that were forgotten last: they are not new, whatever they look like.

In memory they are Bloom filters, one for each generation of them. The changelog keeps their hashes in *chunks*; the
first of a new generation takes the place of the first of the oldest one, so there is never more than a fixed number.

A hash stays true whatever becomes of the changelog and of who writes to it, and one too many costs a look-up.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from itertools import groupby
from struct import Struct

import numpy as np
import numpy.typing as npt

from spanloom.agents.state.entry import ChangelogRecord
from spanloom.spans.folding.facts import TraceKey

_CHUNK = 128
"""Traces in a chunk. The last one is written anew by every checkpoint that forgets something."""

_CHUNKS = 2048
"""Chunks in a generation."""

_GENERATIONS = 4

_HASH = 8  # bytes
_FILTER = 23  # a filter has two to the power of this many bits: 32 for each trace
_PROBES = 8

_KEY = Struct(">9sH")
"""The key of a chunk: a name, and the chunk's place. No piece has such a key: it would be millions of years ahead."""

_NAME = b"forgotten"

_HEAD = Struct(">Q")
"""A chunk begins with its number; the hashes follow."""


class LastForgotten:
    """The last million of them, three quarters of that at least; one in 10,000 others looks as if it were one."""

    def __init__(self) -> None:
        self._filters: deque[bytearray] = deque(maxlen=_GENERATIONS)
        self._number = 0  # of the chunk that is not full yet
        self._chunk = bytearray()
        self._unsaved: list[ChangelogRecord] = []
        self._is_saved = True  # the chunk that is not full yet
        self._read_back: dict[bytes, bytes] = {}

    def __contains__(self, key: TraceKey) -> bool:
        if not self._filters:
            return False
        bits = _bits(int.from_bytes(_hash(key), "big"))
        for some in self._filters:
            for bit in bits:
                if not some[bit >> 3] >> (bit & 7) & 1:
                    break
            else:
                return True
        return False

    def add(self, key: TraceKey) -> None:
        """Note one."""
        if not self._filters or not (self._chunk or self._number % _CHUNKS):
            self._filters.append(bytearray(1 << _FILTER - 3))
        hash_ = _hash(key)
        newest = self._filters[-1]
        for bit in _bits(int.from_bytes(hash_, "big")):
            newest[bit >> 3] |= 1 << (bit & 7)
        self._chunk += hash_
        self._is_saved = False
        if len(self._chunk) == _CHUNK * _HASH:
            self._unsaved.append(self._record())
            self._begin_chunk(self._number + 1)

    def take_unsaved(self) -> list[ChangelogRecord]:
        """Return what the changelog does not have yet."""
        unsaved, self._unsaved = self._unsaved, []
        if not self._is_saved:
            unsaved.append(self._record())
            self._is_saved = True
        return unsaved

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record of the changelog that is one of these (`is_chunk`). All that several workers have written
        to one place counts, if they counted alike."""
        if value is None:
            return
        known = self._read_back.get(key, b"")
        if known[: _HEAD.size] == value[: _HEAD.size]:
            more = [some for some in _hashes(value) if some not in set(_hashes(known))]
            self._read_back[key] = known + b"".join(more)
        else:
            self._read_back[key] = max(known, value)

    def restored(self) -> None:
        """Complete what the changelog has brought back."""
        chunks = sorted(
            (_HEAD.unpack_from(value)[0], value[_HEAD.size :]) for value in self._read_back.values()
        )
        self._read_back.clear()
        if not chunks:
            return
        newest = chunks[-1][0] // _CHUNKS
        for generation, some in groupby(chunks, lambda chunk: chunk[0] // _CHUNKS):
            if generation > newest - _GENERATIONS:
                self._filters.append(_filter(b"".join(hashes for _, hashes in some)))
        number, hashes = chunks[-1]
        if len(hashes) < _CHUNK * _HASH:
            self._number, self._chunk = number, bytearray(hashes)
        else:
            self._begin_chunk(number + 1)

    def _begin_chunk(self, number: int) -> None:
        self._number, self._chunk, self._is_saved = number, bytearray(), True

    def _record(self) -> ChangelogRecord:
        place = self._number % (_CHUNKS * _GENERATIONS)
        return _KEY.pack(_NAME, place), _HEAD.pack(self._number) + self._chunk


def _hashes(chunk: bytes) -> list[bytes]:
    return [chunk[at : at + _HASH] for at in range(_HEAD.size, len(chunk), _HASH)]


def is_chunk(key: bytes) -> bool:
    """Whether a record of the changelog is one of these."""
    return len(key) == _KEY.size and key.startswith(_NAME)


def _hash(key: TraceKey) -> bytes:
    return blake2b(key.trace_id + key.project_id.encode(), digest_size=_HASH).digest()


def _bits(hash_: int) -> list[int]:
    mask = (1 << _FILTER) - 1
    step = hash_ >> 32 | 1
    return [hash_ + probe * step & mask for probe in range(_PROBES)]


def _filter(hashes: bytes) -> bytearray:
    """Return the filter of these hashes, the same as by `_bits`."""
    numbers: npt.NDArray[np.uint64] = np.frombuffer(hashes, ">u8").astype(np.uint64)
    step = numbers >> np.uint64(32) | np.uint64(1)
    bits = np.zeros(1 << _FILTER, np.bool_)
    for probe in range(_PROBES):
        bits[(numbers + np.uint64(probe) * step) & np.uint64((1 << _FILTER) - 1)] = True
    return bytearray(np.packbits(bits, bitorder="little").tobytes())
