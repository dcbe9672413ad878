"""Which data of media a page may show as a picture, and what it says of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.dashboard.rendering.pictures import Data, data_of
from spanloom.spans.messages.parts import Media

PNG = "iVBORw0KGgo="


@pytest.mark.parametrize(
    ("part", "data"),
    [
        (
            {"type": "blob", "mime_type": "image/png", "content": PNG},
            Data("", f"data:image/png;base64,{PNG}", len(PNG)),
        ),
        (
            {"type": "blob", "content_type": "image/png", "content": PNG},
            Data("", f"data:image/png;base64,{PNG}", len(PNG)),
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            Data("", f"data:image/png;base64,{PNG}", len(PNG)),
        ),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            Data("", f"data:image/png;base64,{PNG}", len(PNG)),
        ),
        (
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://v.example/1"}},
            Data("https://v.example/1"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://p.example/1.png"}},
            Data("https://p.example/1.png"),
        ),
        ({"data": "AAAA", "transcript": "yes"}, Data(characters=4)),
        ({"type": "image", "mime_type": ["image/png"], "data": "AAAA"}, Data(characters=4)),
        ({"type": "image"}, Data()),
    ],
    ids=str,
)
def test_data_is_found_in_a_part_and_below_it(part: dict[str, Any], data: Data) -> None:
    assert data_of(Media("[image]", part)) == data


@pytest.mark.parametrize(
    "url",
    [
        "data:image/svg+xml;base64,PHN2Zz4=",
        'data:image/png;base64,AA" onerror="x',
        "data:text/html;base64,AAAA",
        "javascript:x",
    ],
)
def test_only_a_picture_that_is_one_is_shown(url: str) -> None:
    found = data_of(Media("[image]", {"type": "image_url", "image_url": {"url": url}}))
    assert (found.picture, found.url) == ("", "")
