"""A log that clients can fill: a first few lines, then one a minute with how many were left out."""

from __future__ import annotations

import logging

import pytest
from aiohttp.http_exceptions import BadStatusLine

from spanloom.connections.seldom import Seldom, without_payload


class Log:
    """A logger whose clock stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.logger = logging.Logger("test")
        self.logger.addFilter(without_payload)
        self.logger.addFilter(Seldom(lambda: self.now))
        handler = logging.Handler()
        formatter = logging.Formatter("%(levelname)s %(message)s")
        handler.emit = lambda record: self.lines.append(formatter.format(record))  # type: ignore[method-assign]
        self.logger.addHandler(handler)


def test_the_first_lines_pass_and_then_one_a_minute() -> None:
    log = Log()
    for number in range(10_000):
        log.now = number / 100
        log.logger.warning("refused %d", number)
    assert log.lines == [
        *(f"WARNING refused {number}" for number in range(5)),
        "WARNING refused 6004 (and 5999 more like it since the last such line)",
    ]


def test_lines_minutes_apart_are_all_logged() -> None:
    log = Log()
    for number in range(20):
        log.now = number * 61.0
        log.logger.warning("refused")
    assert log.lines == ["WARNING refused"] * 20


def test_kinds_do_not_hide_each_other() -> None:
    log = Log()
    for _ in range(100):
        log.logger.warning("refused %s", "a")
        log.logger.error("refused %s", "a")
    log.logger.warning("something else")
    assert len(log.lines) == 11
    assert log.lines[-1] == "WARNING something else"


def test_errors_of_different_types_are_different_kinds() -> None:
    log = Log()
    for error in [ValueError("x")] * 100 + [KeyError("y")]:
        log.logger.error("Task exception was never retrieved", exc_info=error)
    assert len(log.lines) == 6
    assert "KeyError" in log.lines[-1]


def test_memory_is_bounded_where_every_line_is_of_its_own_kind() -> None:
    log = Log()
    for number in range(10_000):
        log.logger.warning(f"refused {number}")
    assert len(log.lines) < 300


@pytest.mark.parametrize("number", [1, 100])
def test_what_a_client_sent_is_not_logged(number: int) -> None:
    log = Log()
    for _ in range(number):
        log.logger.error(
            "Error handling request from %s", "192.0.2.7", exc_info=BadStatusLine("GET /?key=sk-secret")
        )
    log.now = 61
    log.logger.error(
        "Error handling request from %s", "192.0.2.7", exc_info=BadStatusLine("GET /?key=sk-secret")
    )
    assert log.lines[0] == "WARNING a malformed request was refused (BadStatusLine)"
    assert "secret" not in "".join(log.lines)
    assert len(log.lines) <= 6
