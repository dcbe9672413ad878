"""The data of media that came with a message, and which of it is a picture that a page may show."""

from __future__ import annotations

import re
from typing import NamedTuple

from spanloom.spans.messages.media import TYPE_MEMBERS, levels
from spanloom.spans.messages.parts import Media

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})")
_PICTURES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
_DATA_MEMBERS = frozenset(("data", "content", "image", "file_data", "base64"))


class Data(NamedTuple):
    """What is known of the data of media."""

    url: str = ""
    """Where it is, as the message says; nothing is known about it."""
    picture: str = ""
    """A `data:` URL of a picture that came with the message; checked, so that it can be nothing else."""
    characters: int = 0
    """The length of the data that came with the message."""


def data_of(media: Media) -> Data:
    """Find the data of media, in the part itself or directly below it."""
    url, picture, characters = "", "", 0
    for level in levels(media.sent):
        kind = next((level[key] for key in TYPE_MEMBERS if key in level), "")
        for key, value in level.items():
            if not isinstance(value, str):
                continue
            if value.startswith(("http://", "https://")):
                url = url or value
            elif found := _PICTURE.fullmatch(value):
                picture, characters = value, len(found[2])
            elif value.startswith("data:"):
                characters = max(characters, len(value))
            elif key in _DATA_MEMBERS and _BASE64.fullmatch(value):
                characters = max(characters, len(value))
                if isinstance(kind, str) and kind in _PICTURES:
                    picture = f"data:{kind};base64,{value}"
    return Data(url, picture, characters)
