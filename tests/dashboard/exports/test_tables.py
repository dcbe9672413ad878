"""Rows as files, each read back by the reader that people have."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.exports.tables import ROW_GROUP, TableFormat, columns, table_file
from spanloom.warehouse.queries.answers import SessionListRow, TraceListRow

TIME = datetime(2026, 1, 31, 12, 0, 0, 123, UTC)
HOSTILE = ('a,"b"\r\nc', "\x00\x1b[31m", "🧵 ünï", "</script>", "\u202egpj.exe", " =1", "'quoted")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x")


def trace_row(**values: Any) -> TraceListRow:
    given = {
        "start_time": TIME,
        "end_time": TIME,
        "models": [],
        "tags": [],
        "services": [],
        "metadata": {},
        "has_errors": False,
    }
    empty = {name: "" if field.annotation is str else 0 for name, field in TraceListRow.model_fields.items()}
    return TraceListRow(**(empty | given | values))


def written(form: TableFormat, rows: Sequence[TraceListRow], at_once: int = 2) -> bytes:
    file = table_file(form, TraceListRow)
    return b"".join(file.rows(rows[at : at + at_once]) for at in range(0, len(rows), at_once)) + file.end()


def read(form: TableFormat, content: bytes) -> list[dict[str, Any]]:
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    if form == "jsonl":
        return [json.loads(line) for line in content.decode().split("\n")[:-1]]
    found: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist(maps_as_pydicts="strict")
    return found


@pytest.mark.parametrize("form", get_args(TableFormat))
def test_hostile_texts_stay_data(form: TableFormat) -> None:
    rows = [trace_row(name=text, session_id=text, metadata={text: text}, tags=[text]) for text in HOSTILE]
    found = read(form, written(form, rows))
    assert [row["name"] for row in found] == list(HOSTILE)
    assert [row["session_id"] for row in found] == list(HOSTILE)
    if form == "csv":
        found = [row | {name: json.loads(row[name]) for name in ("metadata", "tags")} for row in found]
    assert [row["metadata"] for row in found] == [{text: text} for text in HOSTILE]
    assert [row["tags"] for row in found] == [[text] for text in HOSTILE]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_a_csv_is_a_formula(text: str) -> None:
    [row] = read("csv", written("csv", [trace_row(name=text)]))
    assert row["name"] == f"'{text}"
    for form in ("jsonl", "parquet"):
        [row] = read(form, written(form, [trace_row(name=text)]))
        assert row["name"] == text


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False), st.integers(0, 2**64 - 1))
def test_numbers_are_exact(amount: float, number: int) -> None:
    rows = [trace_row(total_cost=amount, input_tokens=number)]
    [row] = read("csv", written("csv", rows))
    assert (float(row["total_cost"]), int(row["input_tokens"])) == (amount, number)
    assert "e" not in row["total_cost"]
    for form in ("jsonl", "parquet"):
        [row] = read(form, written(form, rows))
        assert (row["total_cost"], row["input_tokens"]) == (amount, number)


def test_times_are_utc_to_the_microsecond() -> None:
    for form in ("csv", "jsonl"):
        assert read(form, written(form, [trace_row()]))[0]["start_time"] == "2026-01-31T12:00:00.000123Z"
    assert read("parquet", written("parquet", [trace_row()]))[0]["start_time"] == TIME


@pytest.mark.parametrize("form", get_args(TableFormat))
def test_a_list_without_rows_is_a_file_all_the_same(form: TableFormat) -> None:
    content = written(form, [])
    assert read(form, content) == []
    if form == "csv":
        assert content.decode().rstrip("\r\n").split(",") == columns(TraceListRow)
    if form == "parquet":
        assert pq.read_schema(io.BytesIO(content)).names == columns(TraceListRow)


@pytest.mark.parametrize("model", [SessionListRow, TraceListRow])
def test_a_table_has_every_field_once(model: type[SessionListRow | TraceListRow]) -> None:
    assert sorted(columns(model)) == sorted(model.model_fields)
    for form in get_args(TableFormat):
        table_file(form, model).end()


def test_a_parquet_file_of_many_rows_has_several_groups() -> None:
    file = table_file("parquet", TraceListRow)
    rows = [trace_row(span_count=number) for number in range(ROW_GROUP + 1)]
    first, rest = file.rows(rows[:ROW_GROUP]), file.rows(rows[ROW_GROUP:]) + file.end()
    assert len(first) > 1000  # it is not kept until the end
    table = pq.ParquetFile(io.BytesIO(first + rest))
    assert table.num_row_groups == 2
    assert table.read()["span_count"].to_pylist() == list(range(ROW_GROUP + 1))
