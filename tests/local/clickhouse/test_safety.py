"""SQL over the local port leads nowhere but into the database, and no page from elsewhere may send any."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanloom.local.clickhouse.refused import refused
from tests.local.clickhouse.http_client import Http

pytestmark = pytest.mark.stack

SECRET = "a line of somebody's file"


@pytest.fixture(scope="module")
def http(local_clickhouse: str) -> Http:
    return Http(local_clickhouse)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that is not the database's."""
    path = tmp_path / "home" / "secret.tsv"
    path.parent.mkdir()
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port to which nobody should come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


READS = [
    "SELECT * FROM file('{}', 'LineAsString')",
    "SELECT * FROM `{}`",
    "SELECT * FROM default.`{}`",
    "SELECT file('{}')",
    "SELECT FILE /* here */ ('{}')",
    "SELECT \"file\"('{}')",
    "SELECT `fi\\x6ce`('{}')",
    "WITH file('{}') AS text SELECT text",
    "CREATE TABLE taken (a String DEFAULT file('{}')) ENGINE = Memory",
    "CREATE TABLE taken (a String) ENGINE = File('LineAsString', '{}')",
    "CREATE VIEW taken AS SELECT * FROM file('{}', 'LineAsString')",
    "CREATE DICTIONARY taken (a UInt64, b String) PRIMARY KEY a "
    "SOURCE(FILE(path '{}' format 'LineAsString')) LAYOUT(FLAT()) LIFETIME(0)",
    "CREATE FUNCTION taken AS (x) -> file('{}')",
    "INSERT INTO FUNCTION null('a String') SELECT file('{}')",
    "SELECT 1 FORMAT Template SETTINGS format_template_row = '{}'",
    "SELECT * FROM format(Protobuf, 'x') SETTINGS format_schema = '{}:X'",
    "EXPLAIN SELECT file('{}')",
    "INSERT INTO taken FROM INFILE '{}' FORMAT TSV",
]


@pytest.mark.parametrize("sql", READS)
def test_no_file_is_read(http: Http, secret: Path, sql: str) -> None:
    reply = http(sql.replace("{}", str(secret)))
    assert reply.status != 200
    assert SECRET not in reply.text


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO FUNCTION file('{}/new.tsv', 'TSV', 'a Int8') SELECT 1",
        "SELECT 1 INTO OUTFILE '{}/new.tsv'",
        "BACKUP DATABASE default TO File('{}/new')",
        "CREATE TABLE taken (a Int8) ENGINE = MergeTree ORDER BY a "
        "SETTINGS disk = disk(type = local, path = '{}/new/')",
        "CREATE TABLE taken (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = "
        "disk(type = object_storage, object_storage_type = local, metadata_type = local, path = '{}/new/')",
        "SELECT 1 SETTINGS input_format_record_errors_file_path = '{}/new'",
    ],
)
def test_no_file_is_written(http: Http, secret: Path, sql: str) -> None:
    assert http(sql.replace("{}", str(secret.parent))).status != 200
    assert list(secret.parent.iterdir()) == [secret]


def test_no_folder_is_taken(http: Http, secret: Path) -> None:
    folder = secret.parent
    for sql in (
        f"ATTACH TABLE taken FROM '{folder}/' (a Int8) ENGINE = MergeTree ORDER BY a",
        f"/**/ attach table taken from '{folder}/' (a Int8) engine = MergeTree order by a",
        f"CREATE DATABASE taken ENGINE = Filesystem('{folder}')",
    ):
        assert http(sql).headers["X-ClickHouse-Exception-Code"] == "497", sql
    assert secret.read_text() == f"{SECRET}\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM url('http://{}/', 'LineAsString')",
        "INSERT INTO FUNCTION url('http://{}/', 'TSV', 'a Int8') SELECT 1",
        "SELECT * FROM s3('http://{}/a/b.tsv', 'TSV', 'a Int8')",
        "SELECT * FROM remote('{}', system.one)",
        "SELECT * FROM mysql('{}', 'a', 'b', 'c', 'd')",
        "SELECT * FROM postgresql('{}', 'a', 'b', 'c', 'd')",
        "CREATE TABLE taken (a Int8) ENGINE = URL('http://{}/', 'TSV')",
        "CREATE TABLE taken (a Int8) ENGINE = Distributed('default', 'system', 'one')",
        "CREATE DATABASE taken ENGINE = MySQL('{}', 'a', 'b', 'c')",
        "CREATE TABLE taken (a Int8) ENGINE = MergeTree ORDER BY a "
        "SETTINGS disk = disk(type = web, endpoint = 'http://{}/')",
        "CREATE DICTIONARY taken (a UInt64) PRIMARY KEY a "
        "SOURCE(HTTP(url 'http://{}/' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
    ],
)
def test_nothing_is_fetched_or_sent(http: Http, listener: socket.socket, sql: str) -> None:
    assert http(sql.replace("{}", f"127.0.0.1:{listener.getsockname()[1]}")).status != 200
    with pytest.raises(TimeoutError):
        listener.accept()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM executable('x', 'TSV', 'a String')",
        "SELECT * FROM python(data)",
        "CREATE DICTIONARY taken (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(EXECUTABLE(command 'id' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
        "CREATE USER taken",
        "GRANT ALL ON *.* TO default",
        "CREATE NAMED COLLECTION taken AS url = 'http://127.0.0.1'",
    ],
)
def test_nothing_is_run_and_nobody_is_let_in(http: Http, sql: str) -> None:
    assert http(sql).status != 200


def test_an_external_table_is_not_another_way(http: Http, secret: Path) -> None:
    for structure, format_ in (
        (f"a String DEFAULT file('{secret}')", "TSV"),
        ("a String", f"TSV SETTINGS format_schema='{secret}:X'"),
    ):
        parts = {"x_structure": structure, "x_format": format_, "query": "SELECT * FROM x"}
        body = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts.items()
        )
        body += '--b\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n\\N\n\r\n--b--\r\n'
        reply = http(body, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert reply.status != 200
        assert SECRET not in reply.text


def test_what_is_no_function_may_have_its_name() -> None:
    for sql in (
        "SELECT file, disk FROM t WHERE file = 'file(1)' -- file(2)",
        "SELECT `file` FROM t /* disk(type=web) */",
        "SELECT 'attach', 'ATTACH TABLE'",
        r"SELECT 'a\'file(', 1",
        "CREATE DATABASE t ENGINE = Atomic",
        "CREATE DATABASE engine",
        "CREATE TABLE t (profile UInt8) ENGINE = MergeTree ORDER BY profile",
        "ALTER TABLE t ATTACH PARTITION 1 FROM u",
    ):
        assert refused(sql.encode()) == "", sql


def test_what_people_do_is_still_done(http: Http) -> None:
    for sql in (
        "CREATE DATABASE safe",
        "CREATE TABLE safe.t (a UInt32) ENGINE = MergeTree ORDER BY a",
        "CREATE VIEW safe.v AS SELECT sum(a) AS total FROM safe.t",
        "CREATE MATERIALIZED VIEW safe.m ENGINE = SummingMergeTree ORDER BY a AS SELECT a FROM safe.t",
        "INSERT INTO safe.t SELECT number FROM numbers(5)",
        "ALTER TABLE safe.t ADD COLUMN b String",
        "OPTIMIZE TABLE safe.t FINAL",
        "TRUNCATE TABLE safe.m",
        "CREATE TEMPORARY TABLE u (a Int8)",
    ):
        assert http(sql).status == 200, sql
    assert http("SELECT total FROM safe.v").text == "10\n"
    assert http("DROP DATABASE safe").status == 200


# What a browser can be made to send


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8123"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_from_elsewhere_is_refused(http: Http, method: str, headers: dict[str, str]) -> None:
    reply = http(method=method, headers=headers, query="SELECT 1")
    assert reply.status == 403
    assert "127.0.0.1 and localhost" in reply.text


def test_the_address_bar_and_programs_are_not(http: Http) -> None:
    for headers in ({"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": http.url}, {}):
        reply = http(headers=headers, query="SELECT 1")
        assert (reply.status, reply.text) == (200, "1\n")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("readonly", ["", "0", "1", "2", "false"])
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE taken (a Int8) ENGINE = Memory",
        "INSERT INTO kept VALUES (1)",
        "INSERT INTO kept SELECT 1",
        "WITH 1 AS x INSERT INTO kept SELECT x",
        "/* */ insert into kept select 1",
        "INSERT INTO kept SELECT 1 SETTINGS readonly = 0",
        "DROP TABLE kept",
        "ALTER TABLE kept DELETE WHERE 1",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
    ],
)
def test_a_get_changes_nothing_whatever_the_address_says(http: Http, sql: str, readonly: str) -> None:
    http("CREATE TABLE IF NOT EXISTS kept (a Int8) ENGINE = Memory")
    more: dict[str, Any] = {"readonly": readonly} if readonly else {}
    assert http(query=sql, **more).status != 200
    assert http("SELECT count() FROM kept").text == "0\n"
    assert http("EXISTS TABLE taken").text == "0\n"
