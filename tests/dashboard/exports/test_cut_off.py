"""A file that can't be finished is no whole file to whoever asked for it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Response

from spanloom.dashboard.api.errors import install_errors
from spanloom.dashboard.exports.download import download, file_name
from spanloom.warehouse.errors import Unavailable


def app(fails_after: int) -> FastAPI:
    made = FastAPI()
    install_errors(made)

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(5):
            if number == fails_after:
                raise Unavailable("ClickHouse at x is out of reach: y")
            yield b"row\n"

    @made.get("/file")
    async def file() -> Response:
        return await download(chunks(), "a.csv", "text/csv")

    return made


async def ask(fails_after: int) -> tuple[int, bytes]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app(fails_after), lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/file", timeout=30)
                return answer.status_code, answer.content
        finally:
            server.should_exit = True
            await serving


def test_what_comes_to_its_end_is_whole() -> None:
    assert asyncio.run(ask(99)) == (200, b"row\n" * 5)


def test_what_breaks_off_is_an_error_to_the_client_and_a_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(httpx2.RemoteProtocolError):
        asyncio.run(ask(2))
    assert "was broken off: ClickHouse at x is out of reach" in caplog.text
    assert "Traceback" not in caplog.text


def test_what_fails_at_once_is_answered_as_anywhere_else() -> None:
    status, content = asyncio.run(ask(0))
    assert status == 503
    assert b"out of reach" in content


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ('../../etc/"pass"\r\nwd', "spanloom-session-etc-pass-wd.md"),
        ("🧵", "spanloom-session.md"),
        ("x" * 1000, f"spanloom-session-{'x' * 60}.md"),
        (".hidden", "spanloom-session-hidden.md"),
    ],
)
def test_a_files_name_is_safe_on_every_system(what: str, name: str) -> None:
    assert file_name("session", what, "md") == name
