"""ClickHouse's own block compression, as `compress=1` and `decompress=1` in the URL ask for it.

A block is a checksum (16 bytes), a method (1), the size of method, sizes and data (4), the size of the
plain data (4), the data. https://clickhouse.com/docs/native-protocol/compression
"""

from __future__ import annotations

import struct

import pyarrow as pa
from clickhouse_cityhash.cityhash import CityHash128

from spanloom.local.clickhouse.http_bodies import BodyError

_HEADER = struct.Struct("<BII")
_CHECKSUM_BYTES = 16
_PLAIN, _LZ4, _ZSTD = 0x02, 0x82, 0x90

# Plain bytes of a block, as ClickHouse writes them.
_BLOCK_BYTES = 1 << 20

# A mistake or a bad client must not make us allocate more than this for one block.
_LARGEST_BLOCK = 1 << 30


def pack_blocks(data: bytes) -> bytes:
    """`data` as a sequence of lz4 blocks."""
    codec = pa.Codec("lz4_raw")
    packed = bytearray()
    for at in range(0, len(data), _BLOCK_BYTES):
        plain = data[at : at + _BLOCK_BYTES]
        content = codec.compress(plain, asbytes=True)
        block = _HEADER.pack(_LZ4, _HEADER.size + len(content), len(plain)) + content
        packed += _checksum(block) + block
    return bytes(packed)


def _checksum(block: bytes) -> bytes:
    """CityHash128 in the version 1.0.2 that ClickHouse puts in front of each block, the higher half first."""
    value = CityHash128(block)
    return struct.pack("<QQ", value >> 64, value & (1 << 64) - 1)


def unpack_blocks(packed: bytes) -> bytes:
    """The plain bytes of a sequence of blocks. The checksums are not looked at: on loopback, TCP has done it.

    Raises `BodyError`.
    """
    data = bytearray()
    at = 0
    while at < len(packed):
        try:
            method, size, plain_size = _HEADER.unpack_from(packed, at + _CHECKSUM_BYTES)
        except struct.error:
            raise BodyError("the request's last compressed block is cut off") from None
        end = at + _CHECKSUM_BYTES + size
        if end > len(packed) or size < _HEADER.size or plain_size > _LARGEST_BLOCK:
            raise BodyError("a compressed block of the request is cut off or damaged")
        content = packed[at + _CHECKSUM_BYTES + _HEADER.size : end]
        data += _plain(method, content, plain_size)
        at = end
    return bytes(data)


def _plain(method: int, content: bytes, size: int) -> bytes:
    if method == _PLAIN:
        return content
    if method not in (_LZ4, _ZSTD):
        raise BodyError(f"compressed blocks of method {method:#x} are not known; lz4, zstd and none are")
    codec = pa.Codec("lz4_raw" if method == _LZ4 else "zstd")
    try:
        plain: bytes = codec.decompress(content, size, asbytes=True)
    except OSError as error:
        raise BodyError(f"a compressed block of the request is damaged: {error}") from None
    return plain
