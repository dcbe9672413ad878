"""How a page shows media: pictures to be seen, sound to be played, PDFs to be saved, all else named.

Nothing is loaded from anywhere: what did not come with the message is a link, or named with what the message says.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from spanloom.dashboard.rendering.budget import MEDIA_CHARACTERS, Budget
from spanloom.dashboard.rendering.media.data import Data
from spanloom.dashboard.rendering.media.found import Found

_KINDS = {"image": "Picture", "audio": "Sound", "video": "Video", "file": "File"}

_LONGEST = 300
"""Characters of a name, a type or an address that are shown; the raw JSON has them whole."""

_MEDIA = Markup('<figure class="media">{}<figcaption>{}</figcaption></figure>')
_KIND = Markup('<span class="media-kind">{}</span>')
_NAME = Markup(" <bdi>{}</bdi>")
_MUTED = Markup(' <span class="muted"><bdi>{}</bdi></span>')
# A <details> whose picture is its own summary: a click shows it over the whole page, without scripts.
_PICTURE = Markup(
    '<details class="picture"><summary title="Full size">'
    '<img src="{}" alt="{}" loading="lazy" decoding="async"></summary></details>'
)
_SOUND = Markup('<audio controls preload="none" src="{}" aria-label="{}"></audio>')
_LINK = Markup(
    ' <a href="{0}" title="{0}" target="_blank" rel="noopener noreferrer nofollow">Open the {1} at <bdi>{2}</bdi></a>'
)
_DOWNLOAD = Markup(' <a class="button" href="{}" download="{}">Save</a>')

_UNSAFE = re.compile(r"[^\w ()+,.=@\[\]-]+|\.(?=\.)")
"""What has no place in the name of a file, whatever system it is saved on."""


def media_html(label: str, found: Found, budget: Budget) -> Markup:
    """A picture, a player, a link or a line that names what was sent.

    Args:
        label: of the part, such as `[image: image/png]`.
    """
    kind, _, its_type = label[1:-1].partition(": ")
    media_type = found.media_type or its_type
    data = found.data
    if data is None:
        return _MEDIA.format("", _caption(kind, media_type, found) + _elsewhere(kind, found))
    shown = _shown(kind, data)
    caption = _caption(
        "image" if shown == "picture" else kind, data.media_type if shown else media_type, found
    )
    if shown and not budget.take_media(len(data.base64)):
        return _MEDIA.format("", caption + _MUTED.format(_TOO_MUCH))
    name = _cut(found.name) or f"({data.media_type})"
    match shown:
        case "picture":
            return _MEDIA.format(_PICTURE.format(data.url, f"Picture {name}"), caption)
        case "sound":
            return _MEDIA.format(_SOUND.format(data.url, f"Sound {name}"), caption)
        case "pdf":
            return _MEDIA.format("", caption + _DOWNLOAD.format(data.url, file_name(found.name)))
    return _MEDIA.format("", caption + _MUTED.format(_WHY_NOT[kind]))


_TOO_MUCH = (
    f"– not shown: this page already carries {MEDIA_CHARACTERS // 4 * 3 // 10**6} MB of pictures, sound and files. "
    "The raw JSON of its span has it."
)
_WHY_NOT = {
    "image": "– not shown: pages show PNG, JPEG, GIF and WebP. The raw JSON of its span has it.",
    "audio": "– not played: pages play WAV, MP3, AAC, Ogg, FLAC, M4A and WebM. The raw JSON of its span has it.",
    "video": "– not played. The raw JSON of its span has it.",
    "file": "– named only. The raw JSON of its span has it.",
}


def _shown(kind: str, data: Data) -> str:
    """How a page shows data: as a `picture`, as `sound`, as a `pdf` to be saved, or not at all."""
    if kind == "audio":
        return "sound" if data.media_type.startswith("audio/") else ""
    if data.media_type == "application/pdf":
        return "pdf"
    return "picture" if kind != "video" and data.media_type.startswith("image/") else ""


def _caption(kind: str, media_type: str, found: Found) -> Markup:
    """What it is: kind, name, type, size."""
    facts = [_cut(media_type)] if media_type else []
    if found.data:
        facts.append(size(found.data.size))
    caption = _KIND.format(_KINDS[kind])
    if found.name:
        caption += _NAME.format(_cut(found.name))
    return caption + _MUTED.format(", ".join(facts)) if facts else caption


def _elsewhere(kind: str, found: Found) -> Markup:
    """Where it is, of media that did not come along."""
    if found.unread:
        return _MUTED.format(
            f"– not shown: {found.unread:,} characters of data that are not whole, or no base64. "
            "The raw JSON of its span has them."
        )
    if found.address:
        return _LINK.format(found.address, _KINDS[kind].lower(), found.host)
    return _MUTED.format(_cut(found.reference)) if found.reference else Markup("")


def size(count: int) -> str:
    """`950 bytes`, `12.3 kB`, `1.2 MB`."""
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1_000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def file_name(name: str) -> str:
    """A name under which a PDF may be saved, whatever it was called: no path, nothing hidden, `.pdf` at the end."""
    last = re.split(r"[/\\]", name)[-1]
    stem = _UNSAFE.sub("_", last).removesuffix(".pdf").strip(" ._")[:100]
    return f"{stem or 'file'}.pdf"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
