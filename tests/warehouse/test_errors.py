"""What passes by itself is `Unavailable`, all else a `WarehouseError`; neither repeats data or passwords."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from clickhouse_connect.driver.exceptions import OperationalError
from pydantic import SecretStr
from urllib3.exceptions import MaxRetryError, SSLError

from spanloom.warehouse.client import SchemaError, Unavailable, Warehouse, WarehouseError, connect
from spanloom.warehouse.errors import translate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.warehouse.tables import run, sql


class Answering:
    """A stub that gives every request the same answer: what the real server can't be made to say."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body.encode()))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())
                self.close_connection = True

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Warehouse:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        settings = ClickHouseSettings(url=self.url, user="me", password=SecretStr("secret"))
        return connect(settings)

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def failing(code: int, text: str, status: int = 500) -> Answering:
    """As ClickHouse reports a failed query."""
    body = f"Code: {code}. DB::Exception: {text} (version 26.9.2.1 (official build))\n"
    return Answering(status, {"X-ClickHouse-Exception-Code": str(code)}, body)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (159, "TIMEOUT_EXCEEDED"),
        (202, "TOO_MANY_SIMULTANEOUS_QUERIES"),
        (209, "SOCKET_TIMEOUT"),
        (210, "NETWORK_ERROR"),
        (241, "MEMORY_LIMIT_EXCEEDED"),
        (242, "TABLE_IS_READ_ONLY"),
        (252, "TOO_MANY_PARTS"),
        (999, "KEEPER_EXCEPTION"),
    ],
)
def test_overload_and_restarts_pass(code: int, name: str) -> None:
    with failing(code, f"Something. ({name})") as warehouse, pytest.raises(Unavailable, match=name):
        run(warehouse.ping())


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_proxy_that_has_no_server_passes(status: int) -> None:
    with Answering(status, {}, "<html>") as warehouse, pytest.raises(Unavailable, match=f"status {status}"):
        run(warehouse.ping())


def test_a_web_server_is_not_clickhouse() -> None:
    with Answering(404, {}, "<html>") as warehouse, pytest.raises(WarehouseError, match="HTTP port"):
        run(warehouse.ping())
    with Answering(200, {}, "hello") as warehouse, pytest.raises(WarehouseError):
        run(warehouse.ping())


def test_nobody_at_the_address_passes(unused_url: str) -> None:
    with pytest.raises(Unavailable, match="out of reach: ConnectionRefusedError"):
        run(connect(ClickHouseSettings(url=unused_url)).ping())


def test_a_name_that_is_not_known_yet_passes() -> None:
    with pytest.raises(Unavailable, match="out of reach"):
        run(connect(ClickHouseSettings(url="http://clickhouse.invalid")).ping())


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_silence_passes_after_the_timeout(silent: str) -> None:
    with pytest.raises(Unavailable, match="out of reach"):
        run(connect(ClickHouseSettings(url=silent, read_timeout=1)).ping())


def test_a_cancelled_call_ends_at_once_and_blocks_nothing(silent: str) -> None:
    async def cancel() -> None:
        call = asyncio.create_task(connect(ClickHouseSettings(url=silent, read_timeout=600)).ping())
        await asyncio.sleep(0)  # the loop goes on while the call waits
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    run(cancel())


def test_an_answer_that_breaks_off_passes() -> None:
    with Answering(200, {"Content-Length": "1000"}, "half") as warehouse, pytest.raises(Unavailable):
        run(warehouse.ping())


def test_a_refused_login_names_the_settings_and_no_password() -> None:
    text = "me: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)"
    with failing(516, text, 403) as warehouse, pytest.raises(WarehouseError) as caught:
        run(warehouse.ping())
    assert "SPANLOOM_CLICKHOUSE__PASSWORD" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_names_the_setting() -> None:
    error = OperationalError("Error executing HTTP request")
    problem = SSLError(ssl.SSLCertVerificationError(1, "self-signed certificate"))
    problem.__cause__ = ssl.SSLCertVerificationError(1, "self-signed certificate")
    error.__cause__ = MaxRetryError(None, "/", problem)  # type: ignore[arg-type]
    translated = translate(error, "answer", "https://host:8443")
    assert isinstance(translated, WarehouseError)
    assert "SPANLOOM_CLICKHOUSE__CAFILE" in str(translated)


def test_the_servers_sentence_is_repeated_without_the_query(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=r"could not read \(.*\): ") as caught:
        run(warehouse.query_rows("read", "SELECT toUInt8('x') AS secret_column"))
    assert "secret_column" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_the_right_that_a_user_lacks_is_named() -> None:
    grant = "ALTER COMMENT COLUMN(cache_read_tokens) ON spanloom.session_windows"
    text = f"me: Not enough privileges. To execute this query, it's necessary to have the grant {grant}."
    with failing(497, text) as warehouse, pytest.raises(WarehouseError) as caught:
        run(warehouse.ping())
    assert grant in str(caught.value)


@pytest.mark.parametrize("before", ["", "it's no number: "])
def test_a_long_quote_is_not_repeated(before: str) -> None:
    quoted = "what a patient wrote, which is long, " * 3
    with (
        failing(27, f"Cannot parse {before}'{quoted}'.") as warehouse,
        pytest.raises(WarehouseError) as caught,
    ):
        run(warehouse.ping())
    assert "Cannot parse" in str(caught.value)
    assert "patient" not in str(caught.value)


def test_a_parameters_value_is_not_repeated(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="BAD_QUERY_PARAMETER") as caught:
        run(warehouse.query_rows("read", "SELECT {age:UInt8}", {"age": "a patient's name"}))
    assert "patient" not in str(caught.value)


@pytest.mark.parametrize("query", ["SELECT 1 FROM nothing", "SELECT nothing FROM spans"])
def test_what_is_not_in_the_schema_asks_for_migrate(warehouse: Warehouse, query: str) -> None:
    with pytest.raises(SchemaError, match="run `spanloom migrate`"):
        run(warehouse.query_rows("read", query))


def test_a_setting_that_clickhouse_does_not_know_is_named(warehouse: Warehouse) -> None:
    settings = warehouse.settings.model_copy(update={"settings": {"not_a_setting": "1"}})
    with pytest.raises(WarehouseError, match="not_a_setting"):
        run(connect(settings).ping())


def test_many_calls_at_once_share_one_client(warehouse: Warehouse) -> None:
    async def numbers() -> list[object]:
        calls = (
            warehouse.query_rows(
                "read", "SELECT {n:UInt32} AS n, sum(number) AS s FROM numbers(100000)", {"n": n}
            )
            for n in range(20)
        )
        return [row[0]["n"] for row in await asyncio.gather(*calls)]

    assert run(numbers()) == list(range(20))


def test_a_warehouse_that_was_closed_connects_again(local_clickhouse: str) -> None:
    warehouse = connect(ClickHouseSettings(url=local_clickhouse, database="default"))
    run(warehouse.ping())
    warehouse.close()
    run(warehouse.ping())
    assert sql(warehouse.settings, "SELECT 1") == [(1,)]
