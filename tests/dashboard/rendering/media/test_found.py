"""What the parts of messages say about their media, in the forms in which SDKs record them."""

from __future__ import annotations

from typing import Any

import pytest

from spanloom.dashboard.rendering.media.data import checked
from spanloom.dashboard.rendering.media.found import Found, found_in
from tests.dashboard.rendering.media.samples import GIF, MP3, PDF, PNG, WAV, WEBP

LONG = "AAAA" * 100

FORMS: dict[str, tuple[dict[str, Any], Found]] = {
    "OpenAI: a picture's data": (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "auto"}},
        Found(data=checked(PNG), media_type="image/png"),
    ),
    "OpenAI: a picture's address": (
        {"type": "image_url", "image_url": {"url": "https://p.example/1.png?a=1"}},
        Found(address="https://p.example/1.png?a=1", host="p.example"),
    ),
    "OpenAI: sound": (
        {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
        Found(data=checked(WAV)),
    ),
    "OpenAI: a file": (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        Found(data=checked(PDF), media_type="application/pdf", name="a.pdf"),
    ),
    "OpenAI: a file by its ID": (
        {"type": "file", "file": {"file_id": "file-6F2ksmvXxt4VdoqmHRw6kL"}},
        Found(reference="ID file-6F2ksmvXxt4VdoqmHRw6kL"),
    ),
    "OpenAI: an answer in sound": (
        {"id": "audio_1", "expires_at": 1, "data": MP3, "transcript": "yes"},
        Found(data=checked(MP3)),
    ),
    "OpenAI: an earlier answer in sound": ({"id": "audio_1"}, Found(reference="ID audio_1")),
    "OpenAI's responses: a picture": (
        {"type": "input_image", "image_url": f"data:image/webp;base64,{WEBP}", "detail": "high"},
        Found(data=checked(WEBP), media_type="image/webp"),
    ),
    "OpenAI's responses: a picture by its ID": (
        {"type": "input_image", "file_id": "file-1", "image_url": None},
        Found(reference="ID file-1"),
    ),
    "OpenAI's responses: a file": (
        {"type": "input_file", "filename": "b.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        Found(data=checked(PDF), media_type="application/pdf", name="b.pdf"),
    ),
    "OpenAI's responses: a file's address": (
        {"type": "input_file", "file_url": "https://f.example/b.pdf"},
        Found(address="https://f.example/b.pdf", host="f.example"),
    ),
    "OpenAI's responses: a picture that was made": (
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG},
        Found(data=checked(PNG)),
    ),
    "Anthropic: a picture's data": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": GIF}},
        Found(data=checked(GIF), media_type="image/gif"),
    ),
    "Anthropic: a picture's address": (
        {"type": "image", "source": {"type": "url", "url": "https://p.example/1.png"}},
        Found(address="https://p.example/1.png", host="p.example"),
    ),
    "Anthropic: a file by its ID": (
        {"type": "document", "source": {"type": "file", "file_id": "file_011"}, "title": "Terms"},
        Found(reference="ID file_011", name="Terms"),
    ),
    "Anthropic: a document": (
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "Terms",
            "citations": {"enabled": True},
        },
        Found(data=checked(PDF), media_type="application/pdf", name="Terms"),
    ),
    "Anthropic: a document of words": (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "It is so."}},
        Found(media_type="text/plain", words="It is so."),
    ),
    "Gemini: data": (
        {"inlineData": {"mimeType": "image/png", "data": PNG, "displayName": "p.png"}},
        Found(data=checked(PNG), media_type="image/png", name="p.png"),
    ),
    "Gemini: data, as Python writes it": (
        {"inline_data": {"mime_type": "audio/L16;codec=pcm;rate=24000", "data": "_-8" * 200}},
        Found(data=checked("_-8" * 200), media_type="audio/L16;codec=pcm;rate=24000"),
    ),
    "Gemini: a file's address": (
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://v.example/1"}},
        Found(address="https://v.example/1", host="v.example", media_type="video/mp4"),
    ),
    "Gemini: a file in a bucket": (
        {"file_data": {"mime_type": "video/mp4", "file_uri": "gs://bucket/1.mp4"}},
        Found(reference="gs://bucket/1.mp4", media_type="video/mp4"),
    ),
    "OpenTelemetry: a blob": (
        {"type": "blob", "mime_type": "image/png", "modality": "image", "content": PNG},
        Found(data=checked(PNG), media_type="image/png"),
    ),
    "OpenTelemetry: an address": (
        {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://p.example/1.png"},
        Found(address="https://p.example/1.png", host="p.example", media_type="image/png"),
    ),
    "OpenTelemetry: a file": (
        {"type": "file", "modality": "audio", "file_id": "provider_fileid_123"},
        Found(reference="ID provider_fileid_123"),
    ),
    "the AI SDK: a picture": (
        {"type": "image", "image": PNG, "mediaType": "image/*"},
        Found(data=checked(PNG), media_type="image/*"),
    ),
    "the AI SDK: a picture's address": (
        {"type": "image", "image": "https://p.example/1.png"},
        Found(address="https://p.example/1.png", host="p.example"),
    ),
    "the AI SDK: a file": (
        {"type": "file", "data": PDF, "filename": "c.pdf", "mediaType": "application/pdf"},
        Found(data=checked(PDF), media_type="application/pdf", name="c.pdf"),
    ),
    "Bedrock: a picture": (
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        Found(data=checked(PNG)),
    ),
    "Bedrock: a document in a bucket": (
        {"document": {"format": "pdf", "name": "d", "source": {"s3Location": {"uri": "s3://bucket/d.pdf"}}}},
        Found(reference="s3://bucket/d.pdf", name="d"),
    ),
    "LangChain: a picture": (
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": PNG},
        Found(data=checked(PNG), media_type="image/png"),
    ),
    "Pydantic AI: a picture": (
        {"type": "binary", "media_type": "image/png", "content": PNG},
        Found(data=checked(PNG), media_type="image/png"),
    ),
    "Pydantic AI: a picture's address": (
        {"type": "image-url", "url": "https://p.example/1.png"},
        Found(address="https://p.example/1.png", host="p.example"),
    ),
    "OpenInference, put together": (
        {"type": "image", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        Found(data=checked(PNG), media_type="image/png"),
    ),
    "Langfuse's token": (
        {
            "type": "image_url",
            "image_url": {
                "url": "@@@langfuseMedia:type=image/jpeg|id=cc48838a-3da8-4ca4-a007-2cf8df930e69|source=base64@@@"
            },
        },
        Found(
            reference="kept by Langfuse as cc48838a-3da8-4ca4-a007-2cf8df930e69",
            media_type="image/jpeg",
        ),
    ),
    "data cut short": (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{LONG}… (cut)"}},
        Found(unread=len(f"data:image/png;base64,{LONG}… (cut)"), media_type="image/png"),
    ),
    "data that a filter took out": (
        {"type": "image_url", "image_url": {"url": "[redacted]"}},
        Found(reference="[redacted]"),
    ),
    "data in the letters of an address": (
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg/%3E"}},
        Found(unread=29, media_type="image/svg+xml"),
    ),
    "nothing": ({"type": "image"}, Found()),
    "a type that is none": ({"type": "image", "mime_type": ["image/png"]}, Found()),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_part_says_what_and_where_its_media_are(name: str) -> None:
    part, expected = FORMS[name]
    assert found_in(part) == expected
    assert expected.is_nothing == (expected == Found())


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " https://p.example/",
        "https://p.example/ x",
        "https://p.example/\n",
        "https://p.example\\@evil.example/",
        "https://p.example@evil.example/",
        "https://user:secret@evil.example/",
        "https://p.example%2eevil.example/",
        "https://",
        "https:/p.example/",
        "https:\\\\p.example/",
        "//evil.example/1.png",
        "/logout",
        "ftp://p.example/1.png",
        "file:///etc/passwd",
        "blob:https://p.example/1",
        "view-source:https://p.example/",
        "https://p\u2024example/",
        "https://pay\u212a.example/",
        "https://p.example:https/",
        f"https://p.example/{'x' * 2_000}",
    ],
)
def test_an_address_that_may_lead_elsewhere_than_it_seems_is_no_link(url: str) -> None:
    found = found_in({"type": "image_url", "image_url": {"url": url}})
    assert (found.address, found.host, found.data) == ("", "", None)
    assert found.reference == url


def test_of_a_part_with_very_many_members_the_first_ones_are_looked_at() -> None:
    url: dict[str, object] = {"url": "https://p.example/"}
    many: dict[str, object] = {f"k{n}": {"id": "1"} for n in range(1_000)}
    assert found_in({"type": "image", **url, **many}).address == "https://p.example/"
    assert found_in({"type": "image", **many, **url}) == Found()
    assert found_in({"type": "image", "a": {"b": {"c": url}}}).address == "https://p.example/"
    assert found_in({"type": "image", "a": {"b": {"c": {"d": url}}}}) == Found()
