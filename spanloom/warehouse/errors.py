"""The driver's exceptions in our words: one sentence for each failure, and whether it passes by itself."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator

from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from urllib3.exceptions import HTTPError

from spanloom.warehouse.outages import code_passes, status_passes

_BAD_PARAMETER = 457  # the sentence quotes its value

_SCHEMA_CODES = frozenset((16, 47, 60, 81))  # no such column, identifier, table, database

# The driver names the status of an answer without the header of error codes in its message only; some proxies leave
# out that header, and the server's sentence has the code all the same.
_HTTP_STATUS = re.compile(r"HTTP status (\d{3})(?:, server response: Code: (\d+)\. DB::Exception)?")

# The server's sentence, cut before anything that quotes the query or the data.
_SERVER_SENTENCE = re.compile(r"DB::Exception: (.*?)(?::? while |: In scope |\. Stack trace|\(at row|\n|$)")
# The apostrophe of "it's necessary to have the grant …" begins no quote.
_LONG_QUOTE = re.compile(r"(?!(?<=[a-z])'[st]\b)(['`\"])(?:(?!\1).){60,}(?:\1|$)")
_SENTENCE_CHARACTERS = 300

CONNECTION_BROKE = (HTTPError, OSError, http.client.HTTPException)
"""What a connection raises that does not come about, or breaks off; mostly the cause of an error of the driver."""


class WarehouseError(Exception):
    """ClickHouse refused something, and trying again would not help. One sentence, without data."""


class SchemaError(WarehouseError):
    """The tables are not there, or not those of this version."""


class Unavailable(Exception):
    """ClickHouse is out of reach or overloaded: wait and try again. One sentence, without data."""


def translate(error: Exception, what: str, url: str, quote: bool = True) -> WarehouseError | Unavailable:
    """Put an exception of the driver into our words.

    Args:
        what: what was tried, as the end of "ClickHouse could not …".
        url: ClickHouse's address.
        quote: whether the server's own sentence may be repeated; not where data is sent, which it quotes.
    """
    status = _HTTP_STATUS.search(str(error)) if isinstance(error, Error) else None
    code = getattr(error, "code", None)
    if code is None and status is not None and status.group(2):
        code = int(status.group(2))
    name = getattr(error, "name", None) or (f"error {code}" if code is not None else "")
    if code is not None:
        if code_passes(code, str(error)):
            return Unavailable(f"ClickHouse at {url} can't {what} now: {name}")
        return _refusal(error, code, name, what, url, quote)
    if isinstance(error, Error):
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
            return WarehouseError(
                f"The certificate of {url} is not trusted: "
                "set SPANLOOM_CLICKHOUSE__CAFILE to the file of its authority"
            )
        if status is not None:
            if status_passes(int(status.group(1))):
                return Unavailable(f"ClickHouse at {url} can't {what} now: HTTP status {status.group(1)}")
            return WarehouseError(
                f"{url} answers with HTTP status {status.group(1)}: is this ClickHouse's HTTP port?"
            )
        cause = next((cause for cause in _causes(error) if isinstance(cause, CONNECTION_BROKE)), None)
        if cause is not None:
            return Unavailable(f"ClickHouse at {url} is out of reach: {_reason(cause)}")
    if isinstance(error, CONNECTION_BROKE):
        return Unavailable(f"ClickHouse at {url} is out of reach: {type(error).__name__}")
    kind = type(error).__name__
    if isinstance(error, ClickHouseError) and quote:
        return WarehouseError(f"ClickHouse at {url} could not {what}: {_shortened(str(error)) or kind}")
    return WarehouseError(f"ClickHouse at {url} could not {what}: {kind}")


def _refusal(error: Exception, code: int, name: str, what: str, url: str, quote: bool) -> WarehouseError:
    if code in _SCHEMA_CODES:
        return SchemaError(
            f"ClickHouse at {url} could not {what} ({name}): its tables are missing or not of this version; "
            "run `spanloom migrate`"
        )
    if code in (193, 194, 516):
        return WarehouseError(
            f"ClickHouse at {url} refused the login: "
            "check SPANLOOM_CLICKHOUSE__USER and SPANLOOM_CLICKHOUSE__PASSWORD"
        )
    reported = _SERVER_SENTENCE.search(str(error)) if quote and code != _BAD_PARAMETER else None
    sentence = f": {_shortened(reported.group(1))}" if reported else ""
    return WarehouseError(f"ClickHouse at {url} could not {what} ({name}){sentence}")


def _shortened(text: str) -> str:
    text = _LONG_QUOTE.sub("'…'", text).strip().rstrip(".")
    return text if len(text) <= _SENTENCE_CHARACTERS else text[: _SENTENCE_CHARACTERS - 1] + "…"


def _reason(cause: BaseException) -> str:
    """The name of the innermost cause: `ConnectionRefusedError`, `ReadTimeoutError`."""
    reason = getattr(cause, "reason", None)
    innermost = list(_causes(reason if isinstance(reason, BaseException) else cause))[-1]
    return type(innermost).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, what caused that, and so on."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        reason = getattr(current, "reason", None)
        current = (
            current.__cause__ or current.__context__ or (reason if isinstance(reason, Exception) else None)
        )
