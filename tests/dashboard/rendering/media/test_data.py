"""Data become part of a page only as base64, and only of a type that their own bytes show."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.rendering.media.data import Data, checked
from tests.dashboard.rendering.media.samples import (
    FLAC,
    GIF,
    JPEG,
    M4A,
    MP3,
    OGG,
    PDF,
    PNG,
    WAV,
    WEBP,
    spelled,
)


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (GIF, "image/gif"),
        (WEBP, "image/webp"),
        (WAV, "audio/wav"),
        (MP3, "audio/mpeg"),
        (spelled(b"\xff\xfb\x90\x64"), "audio/mpeg"),
        (spelled(b"\xff\xf1\x50\x80"), "audio/aac"),
        (OGG, "audio/ogg"),
        (FLAC, "audio/flac"),
        (M4A, "audio/mp4"),
        (spelled(b"\x1a\x45\xdf\xa3\x9f"), "audio/webm"),
        (PDF, "application/pdf"),
        (spelled(b"<svg onload=x>"), ""),
        (spelled(b"<!doctype html><script>1</script>"), ""),
        (spelled(b" %PDF-1.7"), ""),
        (spelled(b"RIFF\0\0\0\0AVI "), ""),
        ("AAAA", ""),
    ],
)
def test_the_type_is_what_the_bytes_show(text: str, media_type: str) -> None:
    data = checked(text)
    assert data is not None
    assert data.media_type == media_type
    if media_type:
        assert data.url == f"data:{media_type};base64,{text}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "====",
        "A",
        "AAAAA",
        "AA===",
        "A=AA",
        "=AAA",
        "AA AA",
        'AA" onerror="x',
        "AA,AA",
        "AA;AA",
        "AA<AA",
        "AAÀA",
        "AAＡA",
        "iVBORw0KGgo…",
        f"{PNG}{PNG}",
    ],
)
def test_what_is_no_base64_is_no_data(text: str) -> None:
    assert checked(text) is None


def test_an_unknown_type_has_no_url() -> None:
    with pytest.raises(ValueError, match="unknown type"):
        _ = Data("AAAA", "").url


@given(st.binary(min_size=1, max_size=100), st.booleans(), st.booleans(), st.booleans())
def test_data_are_read_however_base64_is_spelled(
    value: bytes, url_safe: bool, lines: bool, padded: bool
) -> None:
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(value).decode()
    text = text if padded else text.rstrip("=")
    text = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\n" if lines else text
    data = checked(text)
    assert data is not None
    assert data.base64 == spelled(value)
    assert data.size == len(value)


@given(st.text(st.characters(max_codepoint=127)))
def test_whatever_is_taken_for_data_is_of_the_alphabet(text: str) -> None:
    data = checked(text)
    assert data is None or base64.b64decode(data.base64, validate=True)
