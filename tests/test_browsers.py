"""Requests that a browser sends on behalf of a page from elsewhere."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from spanloom.browsers import host_of, is_foreign, names_loopback

HOST = {"Host": "127.0.0.1:8123"}

OWN: list[dict[str, str]] = [
    {},  # a program
    {"Sec-Fetch-Site": "none"},  # the address bar
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://127.0.0.1:8123"},
    {"Origin": "https://127.0.0.1:8123"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},  # a proxy may have changed Host
]

FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port of this machine
    {"Sec-Fetch-Site": "something new"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8123"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:8080"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "file://"},
    {"Origin": "ftp://127.0.0.1:8123"},
    {"Origin": "chrome-extension://127.0.0.1:8123"},
]


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_what_no_page_from_elsewhere_sent(headers: dict[str, str]) -> None:
    assert not is_foreign(Headers(HOST | headers))


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_what_a_page_from_elsewhere_sent(headers: dict[str, str]) -> None:
    assert is_foreign(Headers(HOST | headers))


@pytest.mark.parametrize(
    ("header", "name"), [("a:1", "a"), ("A", "a"), ("[::1]:8080", "::1"), ("[::1]", "::1"), ("", "")]
)
def test_the_name_of_a_host_header(header: str, name: str) -> None:
    assert host_of(Headers({"Host": header})) == name


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8123", "[::1]:8123"])
def test_this_machines_own_names(host: str) -> None:
    assert names_loopback(Headers({"Host": host}))


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example:8123", "127.0.0.1.evil.example", "127.0.0.2:8123"]
)
def test_names_that_could_be_anybodys(host: str) -> None:
    assert not names_loopback(Headers({"Host": host}))
