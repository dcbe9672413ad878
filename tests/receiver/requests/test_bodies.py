"""Bodies are unpacked as far as allowed, and whatever else they are ends in two kinds of refusal."""

from __future__ import annotations

import contextlib
import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.receiver.requests.bodies import ENCODINGS, Broken, TooLarge, unpack

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
    ("zstd", zstd.compress),
]
packers = pytest.mark.parametrize(("encoding", "pack"), PACKERS, ids=["gzip", "deflate", "bare", "zstd"])


@packers
@given(body=st.binary(max_size=5000))
def test_what_was_packed_comes_out(encoding: str, pack: Callable[[bytes], bytes], body: bytes) -> None:
    assert unpack(pack(body), encoding, 5000) == body


@packers
def test_several_members_are_one_body(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert unpack(pack(b"one") + pack(b"") + pack(b"two"), encoding, 100) == b"onetwo"
    with pytest.raises(TooLarge):
        unpack(pack(b"one") + pack(b"two"), encoding, 5)
    with pytest.raises(Broken):
        unpack(pack(b"x") * 1000, encoding, 2000)


@packers
@given(cut=st.integers(0, 200), body=st.binary(min_size=1, max_size=200))
def test_what_is_cut_off_is_broken(
    encoding: str, pack: Callable[[bytes], bytes], cut: int, body: bytes
) -> None:
    packed = pack(body)
    with pytest.raises(Broken):
        unpack(packed[: cut % len(packed)], encoding, 1000)


@packers
def test_one_byte_more_than_allowed_is_too_large(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(unpack(pack(bytes(1000)), encoding, 1000)) == 1000
    with pytest.raises(TooLarge):
        unpack(pack(bytes(1001)), encoding, 1000)


@packers
def test_a_bomb_is_refused_without_unpacking_it(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(200 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpack(bomb, encoding, 1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_window_of_gigabytes_is_broken() -> None:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    packer = zstd.ZstdCompressor(options=options)
    with pytest.raises(Broken):
        unpack(packer.compress(bytes(1 << 20)) + packer.flush(), "zstd", 1 << 30)


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_body_that_is_not_packed_is_only_measured(encoding: str) -> None:
    assert unpack(b"12345", encoding, 5) == b"12345"
    with pytest.raises(TooLarge):
        unpack(b"123456", encoding, 5)


@given(st.binary(max_size=3000), st.sampled_from(ENCODINGS), st.integers(0, 1000))
def test_any_bytes_are_a_body_or_refused(body: bytes, encoding: str, limit: int) -> None:
    with contextlib.suppress(Broken, TooLarge):
        assert len(unpack(body, encoding, limit)) <= limit


@packers
@given(body=st.binary(max_size=300), where=st.integers(0, 10**6), what=st.integers(0, 255))
def test_a_changed_byte_is_a_body_or_refused(
    encoding: str, pack: Callable[[bytes], bytes], body: bytes, where: int, what: int
) -> None:
    packed = bytearray(pack(body))
    packed[where % len(packed)] = what
    with contextlib.suppress(Broken, TooLarge):
        assert len(unpack(bytes(packed), encoding, 400)) <= 400
