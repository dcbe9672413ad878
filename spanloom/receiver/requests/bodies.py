"""Unpacking what was sent compressed, never further than allowed: a small body may unpack to gigabytes."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = ("gzip", "deflate", "zstd")
"""The content encodings that are understood, besides none."""

_FRAMES = 16
"""gzip and zstd may be several members or frames, one behind the other: at most this many, for each copies the rest."""

_ZSTD: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
"""A window of 8 MiB, as RFC 8878 asks of everybody: more would be memory that the sender chooses."""


class TooLarge(ValueError):
    """It unpacks to more than is allowed."""


class Broken(ValueError):
    """It is not in the encoding that was named."""


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Return an unpacked body of at most `limit` bytes.

    Args:
        body: as it was sent.
        encoding: gzip, deflate (zlib's format; bare deflate too, as some senders have it), zstd, or '' for none.
        limit: bytes of the result at most.

    Raises:
        TooLarge, Broken: see there.
        KeyError: the encoding is unknown.
    """
    if encoding in ("", "identity"):
        if len(body) > limit:
            raise TooLarge
        return body
    return _UNPACKERS[encoding](body, limit)


def _deflate(body: bytes, limit: int) -> bytes:
    try:
        return _unpack(body, limit, lambda: zlib.decompressobj(zlib.MAX_WBITS))
    except Broken:
        return _unpack(body, limit, lambda: zlib.decompressobj(-zlib.MAX_WBITS))


def _unpack(body: bytes, limit: int, new: Callable[[], Any]) -> bytes:
    parts: list[bytes] = []
    left = limit
    for _ in range(_FRAMES):
        unpacker = new()
        try:
            part = unpacker.decompress(body, left + 1)
        except (zlib.error, zstd.ZstdError):
            raise Broken from None
        left -= len(part)
        if left < 0:
            raise TooLarge
        if not unpacker.eof:
            raise Broken
        parts.append(part)
        body = unpacker.unused_data
        if not body:
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise Broken


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": partial(_unpack, new=lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    "deflate": _deflate,
    "zstd": partial(_unpack, new=lambda: zstd.ZstdDecompressor(options=_ZSTD)),
}
