"""Random requests: half of the way right, since what is wrong at once gets no further than the first check."""

from __future__ import annotations

import gzip
import json
import random
import sys
import zlib
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote_from_bytes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_T = TypeVar("_T")

TEXTS: Sequence[bytes] = (
    *(
        b"",
        b"0",
        b"-1",
        b"1e400",
        b"NaN",
        b"9" * 400,
        b"null",
        b"true",
        b"[" * 6000,
        b'{"a":' * 2000,
        b"%",
        b"\\",
    ),
    *(
        b"\0",
        b"\xed\xa0\x80",
        b"\xff\xfe",
        b"\xe2\x80\xae",
        "é".encode(),
        "e\N{COMBINING ACUTE ACCENT}".encode(),
    ),
    *(
        b"' OR 1=1 --",
        b"{id:String}",
        b"<script>",
        b"a=b",
        b"=",
        b"../../etc/passwd",
        b"x" * 9000,
        b"\r\nX: y",
    ),
    *(
        b"2026-02-30",
        b"9999-12-31T23:59:59.999999999Z",
        b"1969-12-31",
        b"2026-01-01T00:00:00+99:00",
        b"24h",
        b"all",
    ),
    *(b"0" * 32, b"f" * 32, b"F" * 16, b"g" * 32, b"cost", b"-started", b"asc", b"error", b"conv-1"),
)
"""Texts that some reader or other stumbles over."""

_TYPES = (
    *(
        b"application/x-protobuf",
        b"application/json",
        b"application/json; charset=utf-16",
        b"",
        b"text/plain",
    ),
    *(b"application/octet-stream", b"multipart/form-data", b"a/b;" * 100, b"\xff", b"application/protobuf"),
)
_ENCODINGS = (
    b"",
    b"gzip",
    b"deflate",
    b"zstd",
    b"identity",
    b"br",
    b"gzip, gzip",
    b"GZIP",
    b"\xff",
    b"x" * 5000,
)
_METHODS = (
    b"GET",
    b"POST",
    b"OPTIONS",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"TRACE",
    b"CONNECT",
    b"PRI",
    b"g\0t",
    b"",
    b"X" * 300,
)
_HEADERS = (
    *(
        b"Authorization",
        b"x-api-key",
        b"Host",
        b"Origin",
        b"Cookie",
        b"Accept",
        b"Accept-Encoding",
        b"If-None-Match",
    ),
    *(
        b"Content-Length",
        b"Transfer-Encoding",
        b"Expect",
        b"Upgrade",
        b"Connection",
        b"Range",
        b"X-Forwarded-For",
    ),
    *(
        b"X-Forwarded-Proto",
        b"Sec-Fetch-Site",
        b"traceparent",
        b"Accept-Language",
        b"Content-Type",
        b"\xff",
        b"a b",
    ),
)


class Inputs:
    """Makes requests from a seed: the same seed, the same requests.

    Args:
        requests: bodies that are right, as protobuf.
        paths: addresses that are right, with their queries.
    """

    def __init__(self, seed: int, requests: Sequence[bytes], paths: Sequence[bytes]) -> None:
        self._random = random.Random(seed)
        self._requests = requests
        self._paths = paths

    def body(self) -> bytes:
        """An export request, whole, mutated, or nothing of the kind; protobuf or JSON."""
        kind = self._random.random()
        if kind < 0.1:
            return self._random.randbytes(self._random.randrange(2000))
        if kind < 0.4:
            return self.mutated(_json(self._pick(self._requests)))
        return self.mutated(self._pick(self._requests))

    def post(self) -> bytes:
        """A POST of spans over HTTP."""
        body, encoding = self.body(), self._pick(_ENCODINGS)
        sent = (
            self.mutated(_packed(body, encoding)) if self._random.random() < 0.3 else _packed(body, encoding)
        )
        path = self._pick(
            (b"/v1/traces", b"/v1/traces", b"/api/public/otel/v1/traces", b"/v1/logs", b"//v1/traces")
        )
        content_type = b"application/json" if body[:1] == b"{" else b"application/x-protobuf"
        if self._random.random() < 0.2:
            content_type = self._pick(_TYPES)
        head = [b"POST " + path + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close"]
        if content_type:
            head.append(b"Content-Type: " + content_type)
        if encoding:
            head.append(b"Content-Encoding: " + encoding)
        if self._random.random() < 0.7:
            head.append(b"Content-Length: %d" % len(sent))
            return b"\r\n".join(head) + b"\r\n\r\n" + sent
        head.append(b"Transfer-Encoding: chunked")
        return b"\r\n".join(head) + b"\r\n\r\n" + self._chunked(sent)

    def get(self) -> bytes:
        """A GET of a page, of its data, or of something near it."""
        path, _, query = self._pick(self._paths).partition(b"?")
        if self._random.random() < 0.2:
            path = path.rpartition(b"/")[0] + b"/" + _quoted(self._text())
        parameters = [pair for pair in query.split(b"&") if pair]
        for _ in range(self._random.randrange(3)):
            if parameters and self._random.random() < 0.7:
                place = self._random.randrange(len(parameters))
                name, _, value = parameters[place].partition(b"=")
                parameters[place] = name + b"=" + (self._pick((self.mutated(value), _quoted(self._text()))))
            else:
                parameters.append(_quoted(self._text()[:50]) + b"=" + _quoted(self._text()))
        target = (path + b"?" + b"&".join(parameters)).translate(None, b" \r\n\0")
        return b"GET " + target[:60_000] + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"

    def head(self) -> bytes:
        """The bytes of a request whose head is odd."""
        if self._random.random() < 0.1:
            return self._random.randbytes(self._random.randrange(1, 400))
        lines = [b"Host: 127.0.0.1", b"Connection: close"]
        for _ in range(self._random.randrange(6)):
            lines.insert(self._random.randrange(3), self._pick(_HEADERS) + b": " + self._text())
        path = self._pick(self._paths)
        head = (
            self._pick(_METHODS)
            + b" "
            + path
            + b" "
            + self._pick((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9.9", b""))
        )
        whole = b"\r\n".join([head, *lines, b"", b""])
        return self.mutated(whole) if self._random.random() < 0.5 else whole

    def mutated(self, data: bytes) -> bytes:
        """The data, with up to four places changed, or as it is."""
        changed = bytearray(data)
        for _ in range(self._random.choice((0, 1, 1, 2, 4))):
            place = self._random.randrange(len(changed) + 1)
            kind = self._random.randrange(5)
            if kind == 0:
                del changed[place:]
            elif kind == 1:
                changed[place : place + 1] = self._random.randbytes(1)
            elif kind == 2:
                del changed[place : place + self._random.randrange(1, 20)]
            elif kind == 3:
                changed[place:place] = self._text()[:2000]
            else:
                changed[place:place] = changed[place : place + self._random.randrange(1, 2000)]
        return bytes(changed)

    def _text(self) -> bytes:
        if self._random.random() < 0.3:
            return self._random.randbytes(self._random.randrange(40))
        return self._pick(TEXTS)

    def _pick(self, choices: Sequence[_T]) -> _T:
        return self._random.choice(choices)

    def _chunked(self, body: bytes) -> bytes:
        parts = []
        while body:
            size = self._random.randrange(1, 5000)
            parts.append(b"%x\r\n%s\r\n" % (len(body[:size]), body[:size]))
            body = body[size:]
        if self._random.random() < 0.1:
            parts.append(b"-1\r\n")
        return b"".join((*parts, b"0\r\n\r\n"))


def _packed(body: bytes, encoding: bytes) -> bytes:
    match encoding.lower():
        case b"gzip":
            return gzip.compress(body, 1)
        case b"deflate":
            return zlib.compress(body, 1)
        case b"zstd":
            return zstd.compress(body, 1)
    return body


def _quoted(text: bytes) -> bytes:
    return quote_from_bytes(text, safe="[{").encode()


def _json(request: bytes) -> bytes:
    """The request as OTLP JSON, near enough: what it says is not looked at here."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return json.dumps(MessageToDict(ExportTraceServiceRequest.FromString(request))).encode()
