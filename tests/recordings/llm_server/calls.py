"""What a call asked, what was answered, and the log of all calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """A tool that a request offers."""

    name: str
    schema: Json
    """The JSON schema of its arguments."""


@dataclass(frozen=True)
class Asked:
    """A request, whatever the API."""

    model: str
    user: str
    """The last user message."""
    user_is_last: bool
    """Whether nothing follows it: no call of a tool and no result."""
    tools: tuple[Tool, ...] = ()
    stream: bool = False
    usage_sent: bool = True
    """Whether the answer tells its usage."""
    answers: bool = True
    """Whether there is an answer in words: embeddings have none."""
    is_call: bool = True
    """Whether a model is called: counting the tokens of a prompt costs none, takes no number and is not logged."""
    must_call: str = ""
    """The tool that has to be called, whatever was said."""
    form: Json | None = None
    """The JSON schema that the answer has to follow."""


@dataclass(frozen=True)
class Usage:
    """Tokens as billed: cache tokens are part of the input, reasoning tokens part of the output, as truths count."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True)
class Call(Usage):
    """One request and what was answered: a line of the log. Tokens are 0 for a failed call."""

    n: int | None = None
    path: str = ""
    model: str = ""
    user: str = ""
    answer: str | None = None
    tool: str | None = None
    arguments: Json | None = None
    """What the tool is called with."""
    stream: bool = False
    usage_sent: bool = False
    failed: bool = False


class Api(Protocol):
    """One API of a vendor."""

    def serves(self, path: str) -> bool:
        """Whether a path, without its query, is one of this API's."""

    def asked(self, path: str, query: str, body: Json) -> Asked:
        """Return what a request asks."""

    def usage(self, n: int) -> Usage:
        """Return what the n-th answer used."""

    def whole(self, call: Call, body: Json) -> Json:
        """Return the body of an answer that is no stream."""

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:
        """Yield an answer that is a stream as it goes over the wire."""

    def stream_type(self, query: str) -> str:
        """Return the content type of a stream."""

    def error(self) -> Json:
        """Return the body of HTTP 500."""

    def variables(self, address: str) -> dict[str, str]:
        """Return the environment variables by which this API's own clients find `http://HOST:PORT`."""


class Ledger:
    """Numbers the answers and writes the log."""

    def __init__(self, log: Path) -> None:
        """Append to `log`."""
        self._log = log
        self._lock = threading.Lock()
        self._answers = 0
        self._failed_once: set[str] = set()
        self.ready: dict[str, Json] = {}
        """The answers by the path under which they are fetched again."""

    def next_answer(self) -> int:
        """Return the number of the next answer, from 1."""
        with self._lock:
            self._answers += 1
            return self._answers

    def must_fail(self, user: str) -> bool:
        """Whether this call has to fail."""
        if "please fail" in user:
            return True
        with self._lock:
            first = "fail once" in user and user not in self._failed_once
            self._failed_once.add(user)
            return first

    def write(self, call: Call) -> None:
        """Add a line to the log."""
        with self._lock, self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(call), ensure_ascii=False) + "\n")
