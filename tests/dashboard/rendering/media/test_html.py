"""Pictures are seen, sound plays, PDFs are saved; what a page can't show is named, and nothing is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spanloom.dashboard.rendering.budget import MEDIA_CHARACTERS, Budget
from spanloom.dashboard.rendering.media.html import file_name, size
from spanloom.dashboard.rendering.texts import value_html
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
from tests.dashboard.rendering.reader import read


def shown(*parts: dict[str, Any], budget: Budget | None = None) -> str:
    """The HTML of a message with these parts, which is harmless."""
    html = str(value_html(json.dumps([{"role": "user", "content": parts}]), budget or Budget(), "user"))
    read(html)
    return html


def words(html: str) -> str:
    """What it says."""
    return " ".join("".join(read(html).text).split())


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def sound(data: str, form: str = "wav") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": form}}


def file(data: str, name: str = "a.pdf", media_type: str = "application/pdf") -> dict[str, Any]:
    return {"type": "file", "data": data, "filename": name, "mediaType": media_type}


@pytest.mark.parametrize(("data", "kind"), [(PNG, "png"), (JPEG, "jpeg"), (GIF, "gif"), (WEBP, "webp")])
def test_a_picture_is_seen_at_once_and_opens_by_a_click(data: str, kind: str) -> None:
    html = shown(image(f"data:image/{kind};base64,{data}"))
    assert f'<summary title="Full size"><img src="data:image/{kind};base64,{data}"' in html
    assert f'alt="Picture (image/{kind})"' in html
    assert 'loading="lazy" decoding="async"' in html
    assert " open" not in html


def test_a_picture_has_its_name() -> None:
    html = shown({"inlineData": {"mimeType": "image/png", "data": PNG, "displayName": "my <cat>.png"}})
    assert 'alt="Picture my &lt;cat&gt;.png"' in html
    assert words(html) == "userPicture my <cat>.png image/png, 8 bytes"


def test_a_picture_is_what_its_bytes_are_whatever_its_type_says() -> None:
    assert read(shown(image(f"data:image/svg+xml;base64,{PNG}"))).images == [f"data:image/png;base64,{PNG}"]
    assert read(shown(image(f"data:text/html;base64,{PNG}"))).images == [f"data:image/png;base64,{PNG}"]
    assert read(shown(file(PNG, "a.bin", "application/octet-stream"))).images == [
        f"data:image/png;base64,{PNG}"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9eD4=",
        "data:image/png;base64,PHN2ZyBvbmxvYWQ9eD4=",
        "data:image/png,iVBORw0KGgo=",
        f'data:image/png;base64,{PNG}" onerror="x',
        f"data:image/png;base64,{PNG}'>",
        f" data:image/png;base64,{PNG}",
        "data:text/html;base64,PHNjcmlwdD4xPC9zY3JpcHQ+",
        "data:text/html,<script>1</script>",
        "data:,x",
        "javascript:alert(1)",
        "vbscript:x",
        '@@@langfuseMedia:type=image/png"><script>|id="><script>|source=x@@@',
    ],
)
def test_what_is_no_picture_is_named_and_neither_image_nor_link(url: str) -> None:
    seen = read(html := shown(image(url)))
    assert not any((seen.images, seen.links, seen.sounds, seen.downloads))
    assert words(html).startswith("userPicture ")
    assert len(words(html)) > len("userPicture ") + 5


@pytest.mark.parametrize(
    ("data", "form", "media_type"),
    [
        (WAV, "wav", "audio/wav"),
        (MP3, "mp3", "audio/mpeg"),
        (OGG, "opus", "audio/ogg"),
        (FLAC, "flac", "audio/flac"),
        (M4A, "m4a", "audio/mp4"),
    ],
)
def test_sound_plays_when_it_is_asked_to(data: str, form: str, media_type: str) -> None:
    html = shown(sound(data, form))
    assert read(html).sounds == [f"data:{media_type};base64,{data}"]
    assert '<audio controls preload="none"' in html
    html = shown({"inline_data": {"mime_type": media_type, "data": data}})
    assert read(html).sounds == [f"data:{media_type};base64,{data}"]


def test_a_transcript_stands_beside_its_sound() -> None:
    answer = {
        "role": "assistant",
        "content": None,
        "audio": {"id": "a", "data": MP3, "transcript": "Yes, *I* do."},
    }
    html = str(value_html(json.dumps([answer]), Budget(), "assistant"))
    assert read(html).sounds == [f"data:audio/mpeg;base64,{MP3}"]
    assert "Yes, <em>I</em> do." in html
    html = shown({"type": "audio", "audio": {"data": MP3, "transcript": "Below"}})
    assert read(html).sounds
    assert "<p>Below</p>" in html
    later = {"role": "assistant", "content": None, "audio": {"id": "audio_1"}}
    assert words(str(value_html(json.dumps([later]), Budget(), "assistant"))) == "assistantSound ID audio_1"


def test_sound_without_a_header_is_named_with_its_size() -> None:
    samples = spelled(b"\1\0" * 1_000)
    for part in (
        sound(samples, "pcm16"),
        {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": samples}},
    ):
        html = shown(part)
        assert read(html).sounds == []
        assert "2.0 kB" in html
        assert "not played" in html
    assert "audio/pcm16, 2.0 kB" in shown(sound(samples, "pcm16"))
    assert "audio/L16;codec=pcm;rate=24000" in html


def test_films_are_named_and_pictures_in_their_place_are_no_sound() -> None:
    film = spelled(b"\0\0\0\x1cftypisom" * 100)
    html = shown({"inlineData": {"mimeType": "video/mp4", "data": film}})
    assert words(html) == "userVideo video/mp4, 1.2 kB – not played. The raw JSON of its span has it."
    assert read(html).sounds == []
    assert read(shown(sound(PNG))).images == []


def test_a_pdf_can_be_saved_and_is_not_opened() -> None:
    html = shown(file(PDF, "Rechnung 7.pdf"))
    assert read(html).downloads == [(f"data:application/pdf;base64,{PDF}", "Rechnung 7.pdf")]
    assert "target=" not in html
    assert words(html) == "userFile Rechnung 7.pdf application/pdf, 15 bytes Save"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.pdf", "a.pdf"),
        ("", "file.pdf"),
        (".pdf", "file.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\a.exe", "a.exe.pdf"),
        ("a\u202efdp.exe", "a_fdp.exe.pdf"),
        ('a\0\n"<>|:*?b', "a_b.pdf"),
        ("Ünïcode 中文 (2).PDF", "Ünïcode 中文 (2).PDF.pdf"),
        ("..hidden", "hidden.pdf"),
        ("x" * 500, "x" * 100 + ".pdf"),
    ],
)
def test_the_name_of_a_saved_file_is_safe(name: str, safe: str) -> None:
    assert file_name(name) == safe


@pytest.mark.parametrize(
    "data", [spelled(b"<script>1</script>" * 20), spelled(b"MZ" + bytes(400)), spelled(b"PK\3\4" * 99)]
)
def test_other_files_are_named_with_type_and_size(data: str) -> None:
    html = shown(file(data, "b.html", "text/html"))
    seen = read(html)
    assert not any((seen.links, seen.downloads, seen.images))
    assert "userFile b.html text/html, " in words(html)
    assert "The raw JSON of its span has it." in html


def test_what_is_elsewhere_is_a_link_that_says_where_it_leads() -> None:
    html = shown(image("https://pictures.example/a/b.png?size=1&x=<y>"))
    assert read(html).links == ["https://pictures.example/a/b.png?size=1&x=<y>"]
    assert 'title="https://pictures.example/a/b.png?size=1&amp;x=&lt;y&gt;"' in html
    assert words(html) == "userPicture Open the picture at pictures.example"
    assert read(html).images == []
    html = shown({"fileData": {"mimeType": "video/mp4", "fileUri": "https://v.example/1"}})
    assert words(html) == "userVideo video/mp4 Open the video at v.example"


def test_what_nobody_can_reach_from_here_is_named() -> None:
    assert words(shown({"type": "file", "file": {"file_id": "file-1"}})) == "userFile ID file-1"
    assert (
        words(shown({"type": "uri", "modality": "image", "uri": "gs://b/1.png"}))
        == "userPicture gs://b/1.png"
    )
    token = "@@@langfuseMedia:type=audio/wav|id=some-id|source=bytes@@@"
    assert words(shown(sound(token))) == "userSound audio/wav kept by Langfuse as some-id"
    assert words(shown(image("[redacted]"))) == "userPicture [redacted]"


def test_a_document_of_words_is_read() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "<b>It is so.</b>"}
    html = shown({"type": "document", "source": source, "title": "Terms"})
    assert words(html) == "userFile Terms text/plain<b>It is so.</b>"


def test_media_in_a_form_that_nobody_knows_are_there_as_json() -> None:
    html = shown({"type": "image", "image": {"0": 137, "1": 80}})
    assert "userPicture" in words(html)
    assert "137" in words(html)


def test_a_page_carries_so_much_and_says_what_it_leaves_out() -> None:
    large = PNG.rstrip("=") + "A" * (MEDIA_CHARACTERS // 2 - 12) + "="
    budget = Budget()
    html = shown(
        *[image(f"data:image/png;base64,{large}")] * 3, image(f"data:image/png;base64,{PNG}"), budget=budget
    )
    assert [len(url) for url in read(html).images] == [len(large) + 22] * 2
    assert html.count("not shown: this page already carries 3 MB of pictures, sound and files.") == 2
    assert words(html).count("image/png, 1.5 MB") == 3
    assert "image/png, 8 bytes" in words(html)
    html = shown(sound(WAV), file(PDF), budget=budget)
    assert not any((read(html).sounds, read(html).downloads))
    assert html.count("not shown: this page already carries") == 2
    assert words(shown(file(spelled(b"PK" * 200)), budget=budget)).count("not shown") == 0


@pytest.mark.parametrize(
    "content",
    [
        [
            {"type": "text", "text": "Here"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ],
        {"content": [{"type": "image", "data": PNG, "mimeType": "image/png"}], "isError": False},
        {"type": "content", "value": [{"type": "media", "data": PNG, "mediaType": "image/png"}]},
        {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{PNG}"},
    ],
    ids=["Anthropic", "MCP", "the AI SDK", "OpenAI's screenshots"],
)
def test_a_picture_that_a_tool_returned_is_seen(content: object) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": content}
    html = shown(result)
    assert read(html).images == [f"data:image/png;base64,{PNG}"]
    assert "Tool result" in html
    assert "j-key" not in html


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "file", "name": "a.py", "size": 12}, {"type": "dir", "name": "b"}],
        [{"file": "a.py", "line": 3}],
        {"image": "a.png", "width": 3},
        {"content": [{"type": "image", "data": PNG, "mimeType": "image/png"}], "structuredContent": {"x": 1}},
        [{"type": "image", "data": PNG, "mimeType": "image/png"}, {"x": 1}],
        [],
        {},
    ],
    ids=str,
)
def test_what_else_a_tool_returned_is_json_and_whole(content: object) -> None:
    html = shown({"type": "tool_result", "tool_use_id": "t", "content": content})
    assert 'class="json"' in html
    assert "<figure" not in html


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (12_345, "12.3 kB"), (1_250_000, "1.2 MB")],
)
def test_sizes_read_well(count: int, said: str) -> None:
    assert size(count) == said
