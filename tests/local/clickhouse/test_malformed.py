"""Requests that are no right HTTP: the sender's mistake, told in a status, and no traceback."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.stack

FORM = "multipart/form-data; boundary=a"


def status(url: str, head: bytes, body: bytes = b"") -> int:
    """The status of what a request's bytes are answered."""
    address = urlsplit(url)
    assert address.hostname is not None
    more = b"\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
        connection.sendall(head + more + body)
        answer = connection.makefile("rb").readline()
    found = re.match(rb"HTTP/1\.[01] (\d+) ", answer)
    assert found, answer
    return int(found[1])


@pytest.mark.parametrize(
    ("header", "answered"),
    [
        (b"X-ClickHouse-Format: \xff", 404),
        (b"X-ClickHouse-Database: \xff", 404),
        (b"X-ClickHouse-Database: \xed\xa0\x80", 404),
        (b"Accept-Encoding: \xff", 200),
        (b"Expect: \xff", 417),
    ],
)
def test_headers_that_are_no_utf_8(local_clickhouse: str, header: bytes, answered: int) -> None:
    assert status(local_clickhouse, b"GET /?query=SELECT%201 HTTP/1.1\r\n" + header) == answered


@pytest.mark.parametrize("query_id", [b"a%0d%0aSet-Cookie:%20b", b"%ED%A0%80", b"%00", b"%E2%80%AE"])
def test_a_query_id_ends_no_header(local_clickhouse: str, query_id: bytes) -> None:
    assert status(local_clickhouse, b"GET /?query=SELECT%201&query_id=" + query_id + b" HTTP/1.1") == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"abc"),
        ("multipart/form-data; boundary=", b"abc"),
        (FORM, b"abc"),
        (FORM, b"--a\r\n\r\n--a"),
        (FORM, b"--a\r\nContent-Disposition: form-data; name=x\r\n\r\nabc"),
        (FORM, b"--a\r\nno header\r\n\r\nabc\r\n--a--"),
        (FORM, b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a--"),
    ],
)
def test_a_form_that_is_none(local_clickhouse: str, content_type: str, body: bytes) -> None:
    head = f"POST /?query=SELECT%201 HTTP/1.1\r\nContent-Type: {content_type}".encode()
    assert status(local_clickhouse, head, body) == 400
