"""ClickHouse's engine in this process (chDB), as a few blocking calls that are safe from any thread.

What was measured of chDB 4.0.2 (engine 25.8) and 4.4 (engine 26.9), and shapes this file:

* One process opens one folder; any number of connections to it may be open. A connection costs 0.2 ms,
  has its own SET, USE and temporary tables, and runs one query at a time. Queries of different
  connections run in parallel and release the GIL. So every request gets a fresh connection: nothing
  leaks from one request into another, and a slow SELECT blocks nobody.
* The engine shuts down with its last connection. So one connection is kept for the life of the process.
* An open connection at interpreter exit aborts the process in 4.0.2. So `close` closes what it can.
* Statements are text. Data of an INSERT goes through a file and FROM INFILE, which is as fast as the
  streaming insert that only 4.4 has (about 1.3 µs a row of 550 bytes, where writing the file is 0.1 µs).
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import itertools
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spanloom.local.child import make_private
from spanloom.local.clickhouse.access import limited
from spanloom.local.clickhouse.statement import Statement

_ERROR_CODE = re.compile(r"Code: (\d+)\.")
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")

# chDB reads `1+1` as `SELECT 1+1`; a server answers with a syntax error, and so do we.
_SERVER_LIKE_SETTINGS = {"implicit_select": "0"}


class EngineError(Exception):
    """The engine refused or failed a statement: ClickHouse's error code and its text, without a traceback."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Request:
    """One statement with everything that shapes its run.

    `settings` and `parameters` are as the HTTP interface receives them: text, parameters in
    ClickHouse's escaped TSV form. `format` is used where the statement names none.
    """

    statement: Statement
    body: bytes = b""
    format: str = "TabSeparated"
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    external_tables: tuple[ExternalTable, ...] = ()


@dataclass(frozen=True)
class ExternalTable:
    """A table sent along with one query: visible to that query only. `structure` is `name Type, …`."""

    name: str
    structure: str
    format: str
    data: bytes


@dataclass(frozen=True)
class Answer:
    """What a statement gave: the formatted bytes and what ClickHouse's summary header reports."""

    data: bytes
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    result_rows: int
    elapsed_ns: int


class Engine:
    """chDB on one folder.

    Raises `EngineError` if the folder is open in another process or can't be opened.
    """

    def __init__(self, folder: Path) -> None:
        # Imported here: loading the engine's 550 MB takes half a second, and only this process needs it.
        engine: Any = importlib.import_module("chdb._chdb")

        make_private(folder)
        self._connect: Any = engine.connect
        self._folder = str(folder)
        self._inserts = folder / "http_inserts"
        self._numbers = itertools.count()
        self._running = 0
        self._idle = threading.Condition()
        self._closing = False
        try:
            # The first connection opens the folder; later ones find it open, within the same limits.
            self._root: Any = self._connect(limited(folder))
        except RuntimeError as error:
            raise EngineError(
                76, f"The database in {folder} can't be opened (is another process using it?): {error}"
            ) from None
        # Only now that the folder is ours: what a killed process left behind, not what a living one writes.
        shutil.rmtree(self._inserts, ignore_errors=True)
        self._inserts.mkdir()
        self.version = self._text("SELECT version()")
        self.timezone = self._text("SELECT timezone()")
        self.display_name = self._text("SELECT displayName()")

    def run(self, request: Request) -> Answer:
        """Run one statement and wait for its end. Raises `EngineError`."""
        with self._running_query(), contextlib.closing(self._connect(self._folder)) as connection:
            started = time.perf_counter_ns()
            try:
                self._prepare(connection, request)
                result, sql_is_insert = self._execute(connection, request)
            except RuntimeError as error:
                raise self._refused(error) from None
            if result.has_error():
                raise self._refused(RuntimeError(result.error_message()))
            read_rows, read_bytes = result.storage_rows_read(), result.storage_bytes_read()
            if sql_is_insert:
                # 25.8 has no rows_written; there an INSERT counts its rows as read.
                rows, size = result.rows_read(), result.bytes_read()
                if hasattr(result, "rows_written"):
                    rows, size = result.rows_written(), result.bytes_written()
                summary = (read_rows or rows, read_bytes or size, rows, size, 0)
            else:
                summary = (read_rows, read_bytes, 0, 0, result.rows_read())
            return Answer(result.bytes(), *summary, elapsed_ns=time.perf_counter_ns() - started)

    def close(self, deadline: float) -> bool:
        """Take no more statements, wait up to `deadline` seconds for running ones, stop those that still
        run, and close the folder. False if a statement would not stop; the process must then end hard."""
        with self._idle:
            self._closing = True
            if not self._idle.wait_for(lambda: self._running == 0, deadline):
                with contextlib.suppress(RuntimeError):
                    self._root.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null")
                if not self._idle.wait_for(lambda: self._running == 0, 2.0):
                    return False
        self._root.close()
        shutil.rmtree(self._inserts, ignore_errors=True)
        return True

    @contextlib.contextmanager
    def _running_query(self) -> Iterator[None]:
        with self._idle:
            if self._closing:
                raise EngineError(236, "Code: 236. DB::Exception: The server is shutting down. (ABORTED)")
            self._running += 1
        try:
            yield
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _prepare(self, connection: Any, request: Request) -> None:
        """Bring a fresh connection into the state the request asks for: database, settings, tables."""
        for table in request.external_tables:
            connection.query(f"CREATE TEMPORARY TABLE {_identifier(table.name)} ({table.structure})", "Null")
            with self._file(table.data) as path:
                connection.query(
                    f"INSERT INTO {_identifier(table.name)} FROM INFILE '{path}' FORMAT {table.format}",
                    "Null",
                )
        if request.database and request.database != "default":
            connection.query(f"USE {_identifier(request.database)}", "Null")
        # `readonly` comes last: it forbids every change of a setting that follows.
        settings = _SERVER_LIKE_SETTINGS | dict(sorted(request.settings.items(), key=_readonly_last))
        for name in settings:
            if not _SETTING_NAME.match(name):
                raise RuntimeError(f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
        connection.query("SET " + ", ".join(f"{k} = {_literal(v)}" for k, v in settings.items()), "Null")

    def _execute(self, connection: Any, request: Request) -> tuple[Any, bool]:
        statement = request.statement
        parameters = dict(request.parameters)
        if statement.data is None:
            sql = statement.sql
            if not sql.strip():
                raise RuntimeError("Code: 62. DB::Exception: Syntax error: Empty query. (SYNTAX_ERROR)")
            return connection.query(sql, request.format, params=parameters), statement.verb == "INSERT"
        data = statement.data + request.body if statement.data else request.body
        if not data:
            raise RuntimeError("Code: 108. DB::Exception: No data to insert. (NO_DATA_TO_INSERT)")
        default_format = "Values" if request.format == "TabSeparated" else request.format
        with self._file(data) as path:
            sql = statement.reading_from(path, default_format)
            return connection.query(sql, "Null", params=parameters), True

    @contextlib.contextmanager
    def _file(self, data: bytes) -> Iterator[str]:
        """A short-lived file with `data`. It is gone before the kernel would write it to the disk."""
        # The name must not end like a compressed file: FROM INFILE would unpack it.
        path = self._inserts / f"{next(self._numbers)}.bin"
        try:
            try:
                path.write_bytes(data)
            except OSError as error:
                raise _without_disk(error) from None
            yield str(path).replace("\\", "\\\\").replace("'", "\\'")
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _text(self, sql: str) -> str:
        text: bytes = self._root.query(sql, "TabSeparatedRaw").bytes()
        return text.decode().strip()

    def _refused(self, error: RuntimeError) -> EngineError:
        text = str(error).replace(self._folder + "/http_inserts/", "").strip()
        code = _ERROR_CODE.search(text)
        if not text.startswith("Code: "):
            text = f"Code: 1001. DB::Exception: {text}"
        if "(version " not in text[-60:]:
            text += f" (version {self.version})"
        return EngineError(int(code.group(1)) if code else 1001, text)


def _without_disk(error: OSError) -> EngineError:
    """What a server says when it can't write: clients wait for space, but give up where they don't know why."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    code, name = (243, "NOT_ENOUGH_SPACE") if full else (75, "CANNOT_WRITE_TO_FILE_DESCRIPTOR")
    return EngineError(
        code,
        f"Code: {code}. DB::Exception: The data can't be written to the disk: {error.strerror}. ({name})",
    )


def _readonly_last(item: tuple[str, str]) -> tuple[bool, str]:
    return item[0] == "readonly", item[0]


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
