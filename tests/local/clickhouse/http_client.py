"""HTTP as curl would speak it: no client library between a test and the bytes."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """An answer, with an error status or without."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()


class Http:
    """A server at a URL; call it with a body, and with parameters by name."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(
        self,
        body: bytes | str | None = None,
        *,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
        timeout: float = 60,
        **parameters: str,
    ) -> Reply:
        url = self.url + path + ("?" + urllib.parse.urlencode(parameters) if parameters else "")
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(url, data=data, headers=dict(headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Reply(answer.status, answer.read(), dict(answer.headers.items()))
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.read(), dict(error.headers.items()))
