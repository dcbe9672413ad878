"""Which answers of ClickHouse are waited out: by code, by HTTP status, by what a library said."""

from __future__ import annotations

import http.client

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from urllib3.exceptions import ProtocolError

from spanloom.warehouse.client import Unavailable, Warehouse, WarehouseError
from spanloom.warehouse.errors import translate
from spanloom.warehouse.outages import CODES, code_passes, status_passes
from tests.warehouse.tables import run

NEWER = {735, 745}
"""Codes that the oldest supported engine does not have."""

REFUSALS = {
    16: "NO_SUCH_COLUMN_IN_TABLE",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    47: "UNKNOWN_IDENTIFIER",
    49: "LOGICAL_ERROR",
    53: "TYPE_MISMATCH",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    117: "INCORRECT_DATA",
    158: "TOO_MANY_ROWS",
    164: "READONLY",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    452: "SETTING_CONSTRAINT_VIOLATION",
    469: "VIOLATED_CONSTRAINT",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
}
"""Some of those that stop the worker: the schema, the rows, a right, a setting, a fault."""


def test_the_engine_calls_the_codes_so(warehouse: Warehouse) -> None:
    wanted = CODES | REFUSALS
    sql = f"SELECT arrayJoin({sorted(wanted)}) AS code, errorCodeToName(code) AS name"
    names = {row["code"]: row["name"] for row in run(warehouse.query_rows("read names", sql))}
    assert {code: name for code, name in names.items() if name != wanted[code]} == {
        code: "" for code in NEWER if not names[code]
    }


def answered(body: str, *, status: int = 500, code: int | None = None) -> Exception:
    """What the driver raises."""
    start = (
        f"Received ClickHouse exception, code: {code}"
        if code
        else f"HTTP driver received HTTP status {status}"
    )
    return DatabaseError(f"{start}, server response: {body} (for url http://host)", code=code)


@pytest.mark.parametrize("code", CODES)
def test_a_code_that_passes_is_waited_out(code: int) -> None:
    error = answered(f"Code: {code}. DB::Exception: Something.", code=code)
    assert isinstance(translate(error, "insert", "http://host"), Unavailable)


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_stops(code: int) -> None:
    body = f"Code: {code}. DB::Exception: Something. No space left on device in what the row says."
    assert isinstance(translate(answered(body, code=code), "insert", "http://host"), WarehouseError)


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        ("<html>500 Internal Server Error", True),
        ("", True),
        ("Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)", True),
        ("Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)", False),
        ("Code: 117. DB::Exception: Incorrect data: 'Code: 243. DB::Exception'. (INCORRECT_DATA)", False),
    ],
)
def test_a_bare_500_passes_unless_the_server_says_what_is_wrong(body: str, passes: bool) -> None:
    found = translate(answered(body), "insert", "http://host", quote=False)
    assert isinstance(found, Unavailable if passes else WarehouseError)


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        *((status, True) for status in (408, 429, 500, 502, 503, 504, 507, 520, 529, 530)),
        *((status, False) for status in (301, 400, 401, 403, 404, 405, 413, 501, 505)),
    ],
)
def test_statuses_without_a_code(status: int, passes: bool) -> None:
    assert status_passes(status) is passes


@pytest.mark.parametrize(
    ("code", "text", "passes"),
    [
        (
            1001,
            "std::exception. Code: 1001, type: filesystem_error, e.what() = No space left on device",
            True,
        ),
        (1000, "Poco::Exception. Code: 1000, e.displayText() = Too many open files", True),
        (1001, "std::bad_alloc", True),
        (1001, "std::exception. Code: 1001, type: std::out_of_range, e.what() = vector", False),
        (1002, "Unknown exception", False),
    ],
)
def test_an_exception_of_a_library_passes_where_the_machine_lacks_something(
    code: int, text: str, passes: bool
) -> None:
    assert code_passes(code, text) is passes


@pytest.mark.parametrize(
    "error", [ProtocolError("Connection broken"), http.client.IncompleteRead(b""), ConnectionResetError()]
)
def test_a_connection_that_breaks_off_is_waited_out_whoever_notices(error: Exception) -> None:
    assert isinstance(translate(error, "insert", "http://host"), Unavailable)
    wrapped = DatabaseError("Failed to read response data from server")
    wrapped.__cause__ = error
    assert isinstance(translate(wrapped, "insert", "http://host"), Unavailable)
