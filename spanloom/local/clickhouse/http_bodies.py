"""Compressed bodies, both ways: what a Content-Encoding or Accept-Encoding header can name."""

from __future__ import annotations

import lzma
import zlib

import pyarrow as pa

# In the order we like to answer: on loopback only the CPU counts, and lz4 costs the least of it.
_ARROW_CODECS = {"lz4": "lz4", "zstd": "zstd", "gzip": "gzip", "br": "brotli", "bz2": "bz2"}
_ANSWERED = ("lz4", "zstd", "gzip", "deflate", "br")

# Below this many bytes compressing costs more than it saves.
_WORTHWHILE = 1024


class BodyError(ValueError):
    """A body that is not in its Content-Encoding, or an encoding that is not known here."""


def decode_body(body: bytes, encoding: str) -> bytes:
    """Undo a request's Content-Encoding. Raises `BodyError`."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        try:
            body = _decode_one(body, name)
        except (OSError, zlib.error, lzma.LZMAError) as error:
            raise BodyError(f"the request's body is not valid {name}: {error}") from None
    return body


def _decode_one(body: bytes, name: str) -> bytes:
    if name in ("", "identity"):
        return body
    if name == "deflate":
        try:
            return zlib.decompress(body)
        except zlib.error:  # some clients mean raw deflate
            return zlib.decompress(body, -zlib.MAX_WBITS)
    if name == "xz":
        return lzma.decompress(body)
    if name in _ARROW_CODECS:
        with pa.CompressedInputStream(pa.BufferReader(body), _ARROW_CODECS[name]) as stream:
            data: bytes = stream.read()
            return data
    raise BodyError(f"unknown Content-Encoding {name!r}; lz4, zstd, gzip, deflate, br, xz and bz2 are known")


def choose_encoding(accepted: str) -> str:
    """The encoding to answer with, given an Accept-Encoding header: '' for none."""
    names = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0"):
            names.add(name.strip())
    return next((name for name in _ANSWERED if name in names), "")


def encode_body(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Compress an answer; returns the bytes and the encoding used ('' if too small to be worth it)."""
    if not encoding or len(body) < _WORTHWHILE:
        return body, ""
    if encoding == "deflate":
        return zlib.compress(body, 1), encoding
    if encoding == "gzip":
        packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return packer.compress(body) + packer.flush(), encoding
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, _ARROW_CODECS[encoding]) as stream:
        stream.write(body)
    return sink.getvalue().to_pybytes(), encoding
