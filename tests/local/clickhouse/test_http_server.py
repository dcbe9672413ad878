"""The local ClickHouse answers like a ClickHouse server, over a real port, and keeps what it acknowledged."""

from __future__ import annotations

import gzip
import json
import lzma
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

from spanloom.local.clickhouse.native_blocks import pack_blocks, unpack_blocks
from spanloom.local.ports import free_port
from tests.fixtures_local import clickhouse_process, wait_until
from tests.local.clickhouse.http_client import Http, Reply

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def http(local_clickhouse: str) -> Http:
    return Http(local_clickhouse)


@pytest.fixture(scope="module")
def client(local_clickhouse: str) -> Iterator[Client]:
    parts = urllib.parse.urlsplit(local_clickhouse)
    with clickhouse_connect.get_client(host=parts.hostname, port=parts.port) as client:
        yield client


@pytest.fixture
def table(http: Http) -> Iterator[str]:
    """An empty table t (a UInt32, s String)."""
    http("CREATE OR REPLACE TABLE t (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
    yield "t"
    http("DROP TABLE t")


def rows(http: Http) -> str:
    return http("SELECT a, s FROM t ORDER BY a, s").text


# Health


@pytest.mark.parametrize(
    ("path", "text"), [("/ping", "Ok.\n"), ("/replicas_status", "Ok.\n"), ("/", "Ok.\n")]
)
def test_health_checks_answer(http: Http, path: str, text: str) -> None:
    assert http(path=path).text == text


def test_an_unknown_path_is_not_found(http: Http) -> None:
    assert http(path="/nope").status == 404


# Queries


def test_a_query_comes_in_the_url_or_the_body_or_half_in_each(http: Http) -> None:
    assert http(query="SELECT 1").text == "1\n"
    assert http("SELECT 1").text == "1\n"
    assert http("1 + 1", query="SELECT").text == "2\n"


def test_the_version_is_the_engines(http: Http) -> None:
    assert int(http("SELECT version()").text.split(".")[0]) >= 25


@pytest.mark.parametrize(
    ("how", "headers", "sql"),
    [
        ({"default_format": "JSONEachRow"}, {}, "SELECT 1 AS a"),
        ({}, {"X-ClickHouse-Format": "JSONEachRow"}, "SELECT 1 AS a"),
        ({"default_format": "CSV"}, {"X-ClickHouse-Format": "TSV"}, "SELECT 1 AS a FORMAT JSONEachRow"),
    ],
)
def test_the_format_is_the_querys_else_the_headers_else_the_default(
    http: Http, how: dict[str, Any], headers: dict[str, str], sql: str
) -> None:
    reply = http(sql, headers=headers, **how)
    assert reply.text == '{"a":1}\n'
    assert reply.headers["X-ClickHouse-Format"] == "JSONEachRow"


def test_every_answer_carries_the_headers_of_a_server(http: Http) -> None:
    reply = http("SELECT number FROM numbers(7)", query_id="mine", query="")
    assert reply.headers["X-ClickHouse-Query-Id"] == "mine"
    assert reply.headers["X-ClickHouse-Timezone"]
    assert reply.headers["X-ClickHouse-Format"] == "TabSeparated"
    summary = json.loads(reply.headers["X-ClickHouse-Summary"])
    assert summary["result_rows"] == "7"
    assert summary["read_rows"] == "7"


@pytest.mark.parametrize(
    ("sql", "parameters", "expected"),
    [
        ("SELECT {x:UInt8} + 1", {"param_x": "41"}, "42\n"),
        ("SELECT {x:String}", {"param_x": "it's; -- {a}"}, "it\\'s; -- {a}\n"),
        ("SELECT length({x:String})", {"param_x": "a\\tb\\\\"}, "4\n"),
        ("SELECT {x:Array(String)}", {"param_x": "['a','b']"}, "['a','b']\n"),
        ("SELECT {x:Nullable(String)} IS NULL", {"param_x": "\\N"}, "1\n"),
        ("SELECT {x:Identifier} FROM (SELECT 5 AS five)", {"param_x": "five"}, "5\n"),
    ],
)
def test_parameters_arrive_as_values(http: Http, sql: str, parameters: dict[str, Any], expected: str) -> None:
    assert http(sql, **parameters).text == expected


def test_a_parameter_may_be_as_long_as_a_list_of_ten_thousand_trace_ids(client: Client) -> None:
    ids = [f"{i:032x}" for i in range(10_000)]
    sql = "SELECT length({ids:Array(String)})"
    assert client.query(sql, parameters={"ids": ids}).result_rows == [(10_000,)]


def test_the_database_is_taken_from_the_url_or_a_header(http: Http) -> None:
    http("CREATE DATABASE IF NOT EXISTS `odd name`")
    assert http("SELECT currentDatabase()", database="odd name").text == "odd name\n"
    assert http("SELECT currentDatabase()", headers={"X-ClickHouse-Database": "system"}).text == "system\n"
    assert http("SELECT currentDatabase()").text == "default\n"


def test_settings_hold_for_one_query(http: Http) -> None:
    assert http("SELECT getSetting('max_threads')", max_threads="1").text == "1\n"
    assert http("SELECT getSetting('max_block_size')", max_block_size="17", readonly="2").text == "17\n"
    assert http("SELECT getSetting('max_block_size')").text != "17\n"


def test_what_only_the_http_interface_understands_is_no_setting(http: Http) -> None:
    reply = http("SELECT 1", role="r", quota_key="q", session_timeout="5", wait_end_of_query="1", user="u")
    assert (reply.status, reply.text) == (200, "1\n")


def test_any_user_and_password_is_let_in(http: Http) -> None:
    headers = {"X-ClickHouse-User": "me", "X-ClickHouse-Key": "secret", "Authorization": "Basic bWU6c2VjcmV0"}
    assert http("SELECT 1", headers=headers, user="x", password="y").text == "1\n"


def test_a_get_must_not_change_anything(http: Http, table: str) -> None:
    reply = http(query=f"DROP TABLE {table}")
    assert reply.headers["X-ClickHouse-Exception-Code"] == "164"
    assert rows(http) == ""


# Errors


@pytest.mark.parametrize(
    ("sql", "code", "status", "words"),
    [
        ("SELECT * FROM nowhere", 60, 404, "nowhere"),
        ("SELECT nothing", 47, 404, "nothing"),
        ("SELEC 1", 62, 400, "Syntax error"),
        ("1 + 1", 62, 400, "Syntax error"),
        ("SELECT 1\n; DROP TABLE x", 62, 400, "Multi-statements are not allowed"),
        ("SELECT 1; SELECT 2", 62, 400, "Multi-statements are not allowed"),
        ("", 62, 400, "Empty query"),
        ("SELECT nofunction(1)", 46, 404, "nofunction"),
        ("SELECT 1 FORMAT Nope", 73, 404, "Nope"),
        ("SELECT throwIf(1, 'boom')", 395, 500, "boom"),
        ("SELECT toDate('x')", 38, 400, "Cannot parse"),
        ("SELECT {missing:UInt8}", 456, 500, "missing"),
        ("SELECT 1 INTO OUTFILE '/tmp/spanloom-must-not-exist'", 358, 500, "OUTFILE"),
        ("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", 78, 404, "infile"),
        ("INSERT INTO nowhere VALUES (1)", 60, 404, "nowhere"),
        (
            "SELECT sleepEachRow(1) FROM numbers(9) SETTINGS max_execution_time=1, max_block_size=1",
            159,
            408,
            "",
        ),
        (b"SELECT '\xff'", 62, 400, "UTF-8"),
    ],
)
def test_an_error_has_clickhouses_code_status_and_text(
    http: Http, sql: str | bytes, code: int, status: int, words: str
) -> None:
    reply = http(sql, method="POST")
    assert reply.headers["X-ClickHouse-Exception-Code"] == str(code), reply.text
    assert reply.status == status
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")
    assert words in reply.text
    assert "Traceback" not in reply.text
    assert "http_inserts" not in reply.text


def test_a_second_statement_in_the_body_is_an_error(http: Http) -> None:
    assert http("; DROP TABLE x", query="SELECT 1").headers["X-ClickHouse-Exception-Code"] == "62"


def test_an_unknown_setting_is_an_error(http: Http) -> None:
    assert http("SELECT 1", nosuchsetting="1").headers["X-ClickHouse-Exception-Code"] == "115"
    injection: dict[str, Any] = {"a = 1, b": "1"}
    assert http("SELECT 1", **injection).headers["X-ClickHouse-Exception-Code"] == "115"


# Inserts


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO t FORMAT CSV", '1,"x;y"\n2,z\n'),
        ("INSERT INTO t (a, s) FORMAT JSONEachRow", '{"a":1,"s":"x;y"}\n{"a":2,"s":"z"}'),
        ("insert into default.t format TSV", "1\tx;y\n2\tz\n"),
        ("INSERT INTO t VALUES", "(1, 'x;y'), (1 + 1, lower('Z'))"),
        ("INSERT INTO t", "(1, 'x;y'), (2, 'z')"),
        ("INSERT INTO t (s, a) SETTINGS max_threads = 1 FORMAT CSV", "x;y,1\nz,2\n"),
        ("INSERT INTO t FORMAT Values;", "(1, 'x;y'), (2, 'z')"),
        ("/* FORMAT JSON; */ INSERT INTO `t` -- VALUES\nFORMAT CSV", '1,"x;y"\n2,z\n'),
    ],
)
@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.usefixtures("table")
def test_an_insert_takes_its_data_from_the_body_or_behind_the_statement(
    http: Http, query: str, body: str, inline: bool
) -> None:
    if inline and (query.endswith("t") or query.endswith(";")):
        pytest.skip("there is no place for data behind this statement")
    reply = http(f"{query}\n{body}") if inline else http(body, query=query)
    assert reply.status == 200, reply.text
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert rows(http) == "1\tx;y\n2\tz\n"


def _arrow(stream: bool) -> bytes:
    data = pa.table({"a": pa.array([1, 2], pa.uint32()), "s": ["x", "y"]})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, data.schema) as writer:
        writer.write_table(data)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize(
    ("format_name", "data"),
    [
        ("Arrow", _arrow(stream=False)),
        ("ArrowStream", _arrow(stream=True)),
        ("Native", b"\x02\x02\x01a\x06UInt32\x01\0\0\0\x02\0\0\0\x01s\x06String\x01x\x01y"),
        ("RowBinary", b"\x01\0\0\0\x01x\x02\0\0\0\x01y"),
    ],
)
def test_an_insert_takes_binary_formats(
    http: Http, table: str, format_name: str, data: bytes, inline: bool
) -> None:
    query = f"INSERT INTO {table} FORMAT {format_name}"
    reply = http(query.encode() + b"\n" + data) if inline else http(data, query=query)
    assert reply.status == 200, reply.text
    assert rows(http) == "1\tx\n2\ty\n"


def test_an_insert_with_select_is_one_statement(http: Http, table: str) -> None:
    assert http(f"INSERT INTO {table} SELECT number, 'FORMAT CSV' FROM numbers(2)").status == 200
    assert rows(http) == "0\tFORMAT CSV\n1\tFORMAT CSV\n"


def test_bad_data_writes_nothing(http: Http, table: str) -> None:
    reply = http("1,a\nnonsense\n", query=f"INSERT INTO {table} FORMAT CSV")
    assert reply.status == 400, reply.text
    assert rows(http) == ""


def test_an_insert_without_data_is_an_error(http: Http, table: str) -> None:
    reply = http(f"INSERT INTO {table} FORMAT CSV")
    assert reply.headers["X-ClickHouse-Exception-Code"] == "108"


def test_ten_thousand_rows_become_one_part(http: Http, table: str) -> None:
    body = "".join(f"{i},x\n" for i in range(10_000))
    assert http(body, query=f"INSERT INTO {table} FORMAT CSV").status == 200
    assert http("SELECT count() FROM system.parts WHERE active AND table = 't'").text == "1\n"


# Compression


def _packed(encoding: str, body: bytes) -> bytes:
    if encoding == "gzip":
        return gzip.compress(body)
    if encoding == "deflate":
        return zlib.compress(body)
    if encoding == "xz":
        return lzma.compress(body)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "brotli" if encoding == "br" else encoding) as stream:
        stream.write(body)
    return bytes(sink.getvalue())


def _unpacked(encoding: str, body: bytes) -> bytes:
    if encoding == "deflate":
        return zlib.decompress(body)
    codec = "brotli" if encoding == "br" else encoding
    return bytes(pa.CompressedInputStream(pa.BufferReader(body), codec).read())


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate", "br", "xz"])
def test_a_request_body_may_be_compressed(http: Http, table: str, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    assert http(_packed(encoding, b"SELECT 'packed'"), headers=headers).text == "packed\n"
    body = _packed(encoding, b"1,x\n")
    assert http(body, headers=headers, query=f"INSERT INTO {table} FORMAT CSV").status == 200
    assert rows(http) == "1\tx\n"


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate", "br"])
def test_an_answer_is_compressed_when_asked_for(http: Http, encoding: str) -> None:
    sql = "SELECT number FROM numbers(10000)"
    plain = http(sql, headers={"Accept-Encoding": encoding})
    packed = http(
        sql, headers={"Accept-Encoding": f"{encoding};q=1.0, gzip;q=0"}, enable_http_compression="1"
    )
    assert "Content-Encoding" not in plain.headers
    if encoding != "gzip":
        assert packed.headers["Content-Encoding"] == encoding
        assert _unpacked(encoding, packed.body) == plain.body


def test_clickhouses_own_blocks_are_understood_both_ways(http: Http, table: str) -> None:
    reply = http(pack_blocks(b"1,x\n"), query=f"INSERT INTO {table} FORMAT CSV", decompress="1")
    assert reply.status == 200, reply.text
    assert unpack_blocks(http(f"SELECT * FROM {table}", compress="1").body) == b"1\tx\n"


@pytest.mark.parametrize(
    ("headers", "parameters"),
    [({"Content-Encoding": "lz4"}, {}), ({"Content-Encoding": "nope"}, {}), ({}, {"decompress": "1"})],
)
def test_a_body_that_is_not_what_it_says_is_an_error(
    http: Http, headers: dict[str, str], parameters: dict[str, Any]
) -> None:
    reply = http(b"SELECT 'this is no compressed body at all'", headers=headers, **parameters)
    assert reply.headers["X-ClickHouse-Exception-Code"] == "271"


# clickhouse-connect


def test_clickhouse_connect_reads_types_and_parameters(client: Client) -> None:
    result = client.query(
        "SELECT {n:UInt64} AS n, {s:String} AS s, [1, 2] AS l, map('k', 'v') AS m, "
        "toDateTime64('2026-01-02 03:04:05.123456789', 9, 'UTC') AS t, toFixedString('ab', 2) AS f, "
        "toLowCardinality('low') AS c, NULL AS z, 1.5 AS d, toDecimal64(1.25, 2) AS e",
        parameters={"n": 7, "s": "it's\t'quoted'\\"},
    )
    row = dict(zip(result.column_names, result.result_rows[0], strict=True))
    assert row["n"] == 7
    assert row["s"] == "it's\t'quoted'\\"
    assert row["l"] == [1, 2]
    assert row["m"] == {"k": "v"}
    assert row["c"] == "low"
    assert row["z"] is None
    assert client.query("SELECT %(s)s AS s", parameters={"s": "client side; 'x'"}).result_rows == [
        ("client side; 'x'",)
    ]


def test_clickhouse_connect_writes_and_reads_back(client: Client, table: str) -> None:
    assert client.insert(table, [[1, "a"], [2, "b"]], column_names=["a", "s"]).written_rows == 2
    arrow = pa.table({"a": pa.array([3], pa.uint32()), "s": ["c"]})
    assert client.insert_arrow(table, arrow).written_rows == 1
    assert client.raw_insert(table, ["a", "s"], b"4,d\n", fmt="CSV").written_rows == 1
    assert client.command(f"SELECT count() FROM {table}") == 4
    assert client.query_arrow(f"SELECT a FROM {table} ORDER BY a")["a"].to_pylist() == [1, 2, 3, 4]
    assert np.array_equal(client.query_np(f"SELECT a FROM {table} ORDER BY a").ravel(), [1, 2, 3, 4])
    with client.query_row_block_stream(f"SELECT a FROM {table} ORDER BY a") as stream:
        assert [row for block in stream for row in block] == [(1,), (2,), (3,), (4,)]


def test_clickhouse_connect_sees_empty_results(client: Client, table: str) -> None:
    assert client.query(f"SELECT * FROM {table}").result_rows == []
    assert client.query_arrow(f"SELECT * FROM {table}").num_rows == 0
    assert client.query(f"SELECT * FROM {table} LIMIT 0").column_names == ("a", "s")


def test_clickhouse_connect_gets_errors_with_code_and_name(client: Client) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.query("SELECT * FROM nowhere")
    assert caught.value.code == 60
    assert caught.value.name == "UNKNOWN_TABLE"


def test_clickhouse_connect_sends_settings_and_external_data(client: Client) -> None:
    assert client.query("SELECT getSetting('max_threads')", settings={"max_threads": 1}).result_rows == [(1,)]
    external = ExternalData(
        file_name="ids.csv", data=b"1,one\n2,two\n", fmt="CSV", structure=["id UInt32", "name String"]
    )
    assert client.query("SELECT name FROM ids WHERE id = 2", external_data=external).result_rows == [("two",)]


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_clickhouse_connect_works_with_every_compression(local_clickhouse: str, compress: str | bool) -> None:
    parts = urllib.parse.urlsplit(local_clickhouse)
    with clickhouse_connect.get_client(
        host=parts.hostname, port=parts.port, compress=compress, form_encode_query_params=True
    ) as client:
        result = client.query("SELECT number FROM numbers({n:UInt32})", parameters={"n": 5000})
        assert len(result.result_rows) == 5000


# Concurrency, restarts, the process


def test_a_slow_select_blocks_neither_pings_nor_inserts(http: Http, table: str) -> None:
    done = threading.Event()

    def slow() -> None:
        http("SELECT sleepEachRow(1.5) FROM numbers(2) SETTINGS max_block_size = 1")
        done.set()

    threads = [threading.Thread(target=slow) for _ in range(17)]  # more than there are threads for SELECTs
    for thread in threads:
        thread.start()
    started = time.monotonic()
    assert http(path="/ping").status == 200
    assert http("1,x\n", query=f"INSERT INTO {table} FORMAT CSV").status == 200
    assert not done.is_set()
    assert time.monotonic() - started < 2.5
    for thread in threads:
        thread.join()


def test_many_clients_at_once_lose_nothing(http: Http, table: str) -> None:
    def insert(number: int) -> None:
        for i in range(10):
            assert http(f"{number * 10 + i},x\n", query=f"INSERT INTO {table} FORMAT CSV").status == 200

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert http(f"SELECT count(), uniqExact(a) FROM {table}").text == "80\t80\n"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_acknowledged_inserts_survive_the_end_of_the_process(tmp_path: Path, how: signal.Signals) -> None:
    port = free_port()
    http = Http(f"http://127.0.0.1:{port}")
    server = clickhouse_process(port, tmp_path)
    with server:
        http("CREATE DATABASE d")
        http("CREATE TABLE d.t (a UInt32) ENGINE = MergeTree ORDER BY a")
        acknowledged = 0
        while acknowledged < 20:
            assert http(f"({acknowledged})", query="INSERT INTO d.t VALUES").status == 200
            acknowledged += 1
        assert server.stop(how) == (0 if how is signal.SIGTERM else -how)
        server.start()
        assert http("SELECT count(), sum(a) FROM d.t").text == "20\t190\n"


def test_a_stop_lets_a_running_query_end(tmp_path: Path) -> None:
    port = free_port()
    http = Http(f"http://127.0.0.1:{port}")
    replies: list[Reply] = []
    with clickhouse_process(port, tmp_path) as server:
        sql = "SELECT sleepEachRow(1) FROM numbers(2) SETTINGS max_block_size = 1"
        thread = threading.Thread(target=lambda: replies.append(http(sql)))
        thread.start()
        running = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(1)%numbers(2)%'"
        wait_until(lambda: http(running).text >= "2" or bool(replies), "the query to run")
        assert not replies, "the query ended before it was seen to run"
        assert server.stop() == 0
        thread.join()
    assert replies[0].text == "0\n0\n"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spanloom.local.clickhouse", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_refuses_to_listen_beyond_loopback(tmp_path: Path) -> None:
    outcome = _run("--data", str(tmp_path), "--host", "0.0.0.0")
    assert outcome.returncode == 2
    assert "only loopback addresses" in outcome.stderr


def test_a_taken_port_is_one_sentence(tmp_path: Path, local_clickhouse: str) -> None:
    outcome = _run("--data", str(tmp_path), "--port", local_clickhouse.rsplit(":", 1)[1])
    assert outcome.returncode == 1
    assert "choose another one" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_folder_in_use_is_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    with clickhouse_process(port, tmp_path):
        outcome = _run("--data", str(tmp_path / "data"), "--port", str(free_port()))
    assert outcome.returncode == 1
    assert "is another process using it?" in outcome.stderr
    assert "Traceback" not in outcome.stderr
