"""What a part of a message says about its media: data, an address, an ID, a name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from spanloom.dashboard.rendering.media.data import Data, checked
from spanloom.spans.messages.media import TYPE_MEMBERS

_DEEPEST = 3
"""Levels below the part: Bedrock's `image.source.s3Location.uri`."""

_MOST_MEMBERS = 200
"""Members of a part that are looked at; real ones have a dozen."""

_SHORT = 200
"""Characters of what may be a word as well as base64; longer texts in the place of data are meant to be data."""

_DATA = frozenset(
    (
        "data",
        "content",
        "image",
        "audio",
        "video",
        "file",
        "file_data",
        "base64",
        "bytes",
        "blob",
        "result",
        "binary_content",
    )
)
"""Members that hold data as base64."""

_NAMES = ("filename", "file_name", "fileName", "title", "displayName", "display_name", "name")
_IDS = frozenset(("file_id", "fileId"))

_WORDS = ("text", "content")
"""Types of sources whose data are words."""

_WEB = re.compile(
    r"https?://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#][^\0-\x20\x7f\\]*)?",
    re.IGNORECASE | re.ASCII,
)
"""An address whose host is what it seems to be: no name and password before it, no backslash, which Python and browsers
read differently."""

_LONGEST_ADDRESS = 2_000

_DATA_URL = re.compile(
    r"data:([a-z]+/[a-z0-9.+-]{1,100})?((?:;[^;,]{0,100}){0,10}),", re.IGNORECASE | re.ASCII
)
_LANGFUSE = re.compile(r"@@@langfuseMedia:type=([^|@]{1,100})\|id=([^|@]{1,200})\|source=[^|@]{1,100}@@@")


@dataclass(slots=True)
class Found:
    """What is known of media. All texts are the sender's."""

    data: Data | None = None
    unread: int = 0
    """Characters in the place of data that are none."""
    address: str = ""
    """An http or https URL that may be a link."""
    host: str = ""
    """Where it leads."""
    reference: str = ""
    """What else says where it is: an ID, an address that is no link."""
    media_type: str = ""
    """As the message says."""
    name: str = ""
    words: str = ""
    """A document that is a text (Anthropic)."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing says what or where it is."""
        return not (self.data or self.unread or self.address or self.reference or self.words)


def found_in(part: Mapping[str, object]) -> Found:
    """What a part says, in itself and a few levels below; of several that say the same the first."""
    found = Found()
    names: dict[str, str] = {}
    own_id = ""
    for level in _levels(part):
        is_words = level.get("type") in _WORDS
        for key, value in level.items():
            if not isinstance(value, str) or not value:
                continue
            if key in TYPE_MEMBERS:
                found.media_type = found.media_type or value
            elif key in _NAMES:
                names.setdefault(key, value)
            elif is_words and key in ("data", "content"):
                found.words = found.words or value
            elif key == "id":
                own_id = own_id or value
            else:
                _take(found, key, value)
    found.name = next((names[key] for key in _NAMES if key in names), "")
    if found.is_nothing and own_id:
        found.reference = f"ID {own_id}"
    return found


def _take(found: Found, key: str, value: str) -> None:
    is_data = key in _DATA
    if match := _DATA_URL.match(value):
        found.media_type = found.media_type or match[1] or ""
        is_base64 = match[2].lower().endswith(";base64")
        _take_data(found, value[match.end() :] if is_base64 else "", len(value))
    elif (match := _WEB.fullmatch(value[: _LONGEST_ADDRESS + 1])) and len(value) <= _LONGEST_ADDRESS:
        if not found.address:
            found.address, found.host = value, match["host"]
    elif match := _LANGFUSE.fullmatch(value):
        found.media_type = found.media_type or match[1]
        found.reference = found.reference or f"kept by Langfuse as {match[2]}"
    elif is_data and (len(value) > _SHORT or ((data := checked(value)) and data.media_type)):
        _take_data(found, value, len(value))
    elif key in _IDS:
        found.reference = found.reference or f"ID {value}"
    elif is_data or key.lower().endswith(("url", "uri")):
        found.reference = found.reference or value


def _take_data(found: Found, text: str, characters: int) -> None:
    if data := checked(text):
        found.data = found.data or data
    else:
        found.unread = max(found.unread, characters)


def _levels(part: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The part and what lies in it, level by level, at most so many members."""
    level = [part]
    left = _MOST_MEMBERS
    for _ in range(_DEEPEST + 1):
        below: list[Mapping[str, object]] = []
        for one in level:
            members = dict(islice(one.items(), left))
            left -= len(members)
            below += [value for value in members.values() if isinstance(value, dict)]
            yield members
        level = below
