"""Small media that are what they say, made here: a picture, a sound, a document."""

from __future__ import annotations

import base64
import io
import math
import struct
import wave
import zlib


def spelled(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def png(width: int, height: int) -> bytes:
    """A picture: stripes of colours, grey below."""
    lines = []
    for y in range(height):
        line = bytearray()
        for x in range(width):
            grey = y * 255 // height
            line += (
                bytes((x * 255 // width, grey, 255 - grey)) if (x // 16 + y // 16) % 2 else b"\xd0\xd4\xdc"
            )
        lines.append(b"\0" + bytes(line))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
    )


def wav(seconds: float) -> bytes:
    """A sound: 440 Hz, one channel, 8,000 samples a second."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        for at in range(int(8000 * seconds)):
            writer.writeframesraw(struct.pack("<h", round(9000 * math.sin(at / 8000 * 440 * math.tau))))
    return file.getvalue()


PNG = "iVBORw0KGgo="
"""What each PNG begins with, and as much of one as a message needs to be read."""
JPEG = spelled(b"\xff\xd8\xff\xe0\0\x10JFIF\0")
GIF = spelled(b"GIF89a\1\0\1\0")
WEBP = spelled(b"RIFF\x1a\0\0\0WEBPVP8L")
WAV = spelled(wav(0.01))
MP3 = spelled(b"ID3\4\0\0\0\0\0\0")
OGG = spelled(b"OggS\0\2\0\0\0\0")
FLAC = spelled(b"fLaC\0\0\0\x22")
M4A = spelled(b"\0\0\0\x1cftypM4A \0\0\0\0")
PDF = spelled(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
