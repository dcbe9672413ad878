"""Data of media, checked before it becomes part of a page: base64 and nothing else, of a type that its own bytes show.

What the message says about the type decides nothing here: a browser is told the type that was seen, one of a few that
can neither run nor load anything.
"""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

_TYPES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "audio/wav": re.compile(rb"RIFF.{4}WAVE", re.DOTALL),
    "audio/mpeg": re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
    "audio/aac": re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"),
    "audio/ogg": re.compile(rb"OggS"),
    "audio/flac": re.compile(rb"fLaC"),
    "audio/mp4": re.compile(rb".{4}ftyp", re.DOTALL),
    "audio/webm": re.compile(rb"\x1a\x45\xdf\xa3"),
    "application/pdf": re.compile(rb"%PDF-"),
}
"""How data begins, by its type. Films in MP4 and WebM begin alike: it is the message that says what is sound."""

_LOOKED_AT = 64
"""Characters of base64 that are looked at for the type."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+")
_STANDARD = str.maketrans("-_", "+/", "\r\n")


class Data(NamedTuple):
    """Data that came with a message."""

    base64: str
    """Of the standard alphabet, padded, without line breaks."""
    media_type: str
    """One of those above; empty where its bytes are none of them."""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.base64) // 4 * 3 - self.base64.count("=", -2)

    @property
    def url(self) -> str:
        """A `data:` URL. Raises ValueError where the type is not known."""
        if not self.media_type:
            raise ValueError("no URL is made of data of an unknown type")
        return f"data:{self.media_type};base64,{self.base64}"


def checked(text: str) -> Data | None:
    """The data that a text spells in base64, in either alphabet, in lines or not; None where it is anything else."""
    padded = text.translate(_STANDARD)
    bare = padded.rstrip("=")
    if len(padded) - len(bare) > 2 or len(bare) % 4 == 1 or not _BASE64.fullmatch(bare):
        return None
    whole = bare + "=" * (-len(bare) % 4)
    return Data(whole, _type_of(whole[:_LOOKED_AT]))


def _type_of(beginning: str) -> str:
    seen = binascii.a2b_base64(beginning)
    return next((name for name, signature in _TYPES.items() if signature.match(seen)), "")
