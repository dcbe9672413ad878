"""Rows of a list as a file: CSV, JSON lines or Parquet, some rows at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from spanloom.spans.text.values import json_text
from spanloom.warehouse.queries.answers import iso

TableFormat = Literal["csv", "jsonl", "parquet"]

MEDIA_TYPES: dict[TableFormat, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}

ROW_GROUP = 5_000
"""Rows of a Parquet file that are compressed together, and in memory at once."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that a spreadsheet may take for a formula (OWASP, CSV Injection)."""


_FIRST = (
    "project_id",
    "session_id",
    "trace_id",
    "name",
    "user_id",
    "status",
    "start_time",
    "end_time",
    "duration",
    "active_duration",
    "trace_count",
)
"""Columns that say what a row is; they stand before all others."""


def columns(model: type[BaseModel]) -> list[str]:
    """The fields of a model in the order in which a table has them."""
    return [name for name in _FIRST if name in model.model_fields] + [
        name for name in model.model_fields if name not in _FIRST
    ]


class TableFile(Protocol):
    """A file that is written from its beginning to its end; each call returns the bytes that come next."""

    def rows(self, rows: Sequence[BaseModel]) -> bytes:
        """Some rows; the first call begins the file."""

    def end(self) -> bytes:
        """The end of it."""


def table_file(form: TableFormat, model: type[BaseModel]) -> TableFile:
    """A new file of rows of a kind: a column for each field of the model."""
    kinds: dict[TableFormat, type[CsvFile | JsonLinesFile | ParquetFile]] = {
        "csv": CsvFile,
        "jsonl": JsonLinesFile,
        "parquet": ParquetFile,
    }
    return kinds[form](model)


class CsvFile:
    """RFC 4180 in UTF-8, with a header. What a spreadsheet may take for a formula gets an apostrophe before it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._names = columns(model)
        self._writer.writerow(self._names)

    def rows(self, rows: Sequence[BaseModel]) -> bytes:
        """Some rows."""
        self._writer.writerows([_cell(getattr(row, name)) for name in self._names] for row in rows)
        return self._taken()

    def end(self) -> bytes:
        """The header where there were no rows, else nothing."""
        return self._taken()

    def _taken(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def _cell(value: object) -> str:
    match value:
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case bool():
            return "true" if value else "false"
        case float():
            return f"{Decimal(repr(value)):f}"  # the same number, without an exponent
        case datetime():
            return iso(value)
        case list() | dict():
            return json_text(value)
    return str(value)


class JsonLinesFile:
    """A JSON object a line, as the API answers it."""

    def __init__(self, _: type[BaseModel]) -> None: ...

    def rows(self, rows: Sequence[BaseModel]) -> bytes:
        """Some rows."""
        return "".join(f"{row.model_dump_json()}\n" for row in rows).encode()

    def end(self) -> bytes:
        """Nothing."""
        return b""


class ParquetFile:
    """Parquet with the types of the fields; compressed with zstd."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._schema = pa.schema(
            [(name, _ARROW[model.model_fields[name].annotation]) for name in columns(model)]
        )
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def rows(self, rows: Iterable[BaseModel]) -> bytes:
        """Some rows; they are written by the group."""
        self._waiting += [{name: getattr(row, name) for name in self._schema.names} for row in rows]
        if len(self._waiting) >= ROW_GROUP:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        """The last group, and the footer, without which no reader opens it."""
        if self._waiting:
            self._write()
        self._writer.close()
        return self._sink.taken()

    def _write(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._waiting, self._schema))
        self._waiting = []


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


_ARROW: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.uint64(),  # counts, as ClickHouse has them
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", "UTC"),
    list[str]: pa.list_(pa.string()),
    dict[str, str]: pa.map_(pa.string(), pa.string()),
}
