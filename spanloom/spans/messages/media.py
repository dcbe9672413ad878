"""How images, sound, films and files in a message are shown: `[image: image/png]`, `[audio: audio/wav]`,
`[video: video/mp4]`, `[file: application/pdf]`; `[image]` and so on where no media type is given."""

from __future__ import annotations

import re
from collections.abc import Mapping

_KINDS = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
    "video": "video",
    "video_url": "video",
    "image-url": "image",
    "audio-url": "audio",
    "video-url": "video",
    "document-url": "file",
    "file-url": "file",
    "image-data": "image",
    "file-data": "file",
    "image_generation_call": "image",
    "computer_screenshot": "image",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "media": "file",
    "blob": "file",
    "uri": "file",
    "file_data": "file",
    "inline_data": "file",
    "inlineData": "file",
    "fileData": "file",
    "binary": "file",
}
"""Types of parts, and members that stand in for a type (Gemini has no types). Those with hyphens are Pydantic AI's, and
the AI SDK's in what a tool returned."""

TYPE_MEMBERS = ("mime_type", "media_type", "mediaType", "mimeType", "content_type")
"""Members that name a media type."""

_ANY_TYPE_MEMBER = frozenset(TYPE_MEMBERS)

_MEDIA_TYPE = re.compile(r"([a-z]+/[a-zA-Z0-9.+-]{1,100})(?:$|\s*;)")
"""What may follow are parameters: `audio/L16;codec=pcm;rate=24000` (Gemini)."""
_DATA_URL = re.compile(r"data:([a-z]+/[a-zA-Z0-9.+-]{1,100})[;,]")
_FORMAT = re.compile(r"[a-z0-9]{1,10}")


def media_label(part: Mapping[str, object]) -> str:
    """The label of a part that holds media; empty for a part that holds none (a tool call, reasoning)."""
    kind = part.get("type")
    if not isinstance(kind, str):
        kind = next((member for member in part if member in _KINDS), "")
    shown = _KINDS.get(kind)
    if shown is None:
        return ""
    modality = part.get("modality")
    if isinstance(modality, str) and modality in ("image", "audio", "video"):
        shown = modality
    media_type = _media_type(part, shown)
    if shown == "file" and media_type.startswith(("image/", "audio/", "video/")):
        shown = media_type.partition("/")[0]
    return f"[{shown}: {media_type}]" if media_type else f"[{shown}]"


def _media_type(part: Mapping[str, object], shown: str) -> str:
    for level in levels(part):
        if not _ANY_TYPE_MEMBER.isdisjoint(level):
            for member in TYPE_MEMBERS:
                value = level.get(member)
                if isinstance(value, str) and (found := _MEDIA_TYPE.match(value)):
                    return found[1]
        for value in level.values():
            if isinstance(value, str) and value.startswith("data:") and (found := _DATA_URL.match(value)):
                return found[1]
        if shown != "file" and isinstance(form := level.get("format"), str) and _FORMAT.fullmatch(form):
            return f"{shown}/{form}"
    return ""


def levels(part: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The part and what lies directly in it: `image_url`, `source`, `input_audio`, `file`, …"""
    return [part, *[value for value in part.values() if isinstance(value, dict)]]
