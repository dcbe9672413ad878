"""Inserts: every type of column, newest version on top, durable when acknowledged, retried while ClickHouse is away."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.stages.ingest import SPANS_ORDER
from spanloom.local.ports import free_port
from spanloom.retry import retry
from spanloom.spans.each_text_once import each_text_once
from spanloom.spans.table import SPAN_TABLE
from spanloom.warehouse.client import SchemaError, Unavailable, Warehouse, WarehouseError, connect
from spanloom.warehouse.queries.traces.tree import span_detail
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from spanloom.warehouse.stored_spans import StoredSpanId, whole_spans
from spanloom.warehouse.write import insert, parts
from tests.fixtures_local import clickhouse_process
from tests.warehouse.tables import SECOND, START, put, rows, run, spans, sql

TRACE = "0af7651916cd43dd8448eb211c80319c"
KEY = {"trace_id": TRACE, "span_id": "b7ad6b7169203331"}
STRANGE = "naïve 漢字 🧵 \x00 \\ ' \" ` \t \n \u202e end"


def full(project: str) -> dict[str, object]:
    return KEY | {
        "project_id": project,
        "parent_span_id": "00f067aa0ba902b7",
        "name": STRANGE,
        "span_type": "LLM",
        "service_name": "svc 🧵",
        "start_time": START * SECOND + 123_456_789,
        "end_time": START * SECOND + 2 * SECOND + 123_456_790,
        "status": "error",
        "status_message": STRANGE,
        "session_id": STRANGE,
        "user_id": "",
        "tags": ["", "a", "漢"],
        "model": "gpt-4o",
        "provider": "openai",
        "input_tokens": 2**64 - 1,
        "output_tokens": 2**63,
        "cache_read_tokens": 10**12,
        "cache_write_tokens": 0,
        "reasoning_tokens": 1,
        "input_cost": 1e-12,
        "output_cost": 99_999.999999999999,
        "total_cost": 0.1,
        "priced": 1,
        "input": STRANGE * 1000,
        "output": "",
        "attributes": [("key", "value"), ("", ""), (STRANGE, STRANGE)],
        "resource": [("service.name", "svc 🧵")],
        "events": [
            {"name": "e 🧵", "time": START * SECOND + 1, "attributes": [("a", "b"), ("漢", "")]},
            {"name": "", "time": 0, "attributes": []},
        ],
        "session_key": 65_535,
        "user_key": 0,
        "metadata": [("k", STRANGE)],
        "input_preview": STRANGE,
        "output_preview": "",
        "marks": 3,
        "version": 2**64 - 1,
    }


def test_every_type_of_column_comes_back_as_it_went_in(warehouse: Warehouse, project: str) -> None:
    went_in = spans(full(project))
    put(warehouse, "spans_versions", went_in)
    columns = ", ".join(SPAN_TABLE.names)
    came_out = run(
        warehouse.query_arrow(
            "read",
            f"SELECT {columns}, version FROM spans_versions FINAL WHERE project_id = {{p:String}}",
            {"p": project},
        )
    )
    expected = went_in.drop_columns("is_deleted")
    assert came_out.cast(expected.schema).to_pydict() == expected.to_pydict()


def test_the_view_shows_duration_in_seconds(warehouse: Warehouse, project: str) -> None:
    put(warehouse, "spans_versions", spans(full(project)))
    assert rows(warehouse, f"SELECT duration FROM spans WHERE project_id = '{project}'") == [(2.000000001,)]


def test_a_text_that_is_stored_once_is_read_everywhere(warehouse: Warehouse, project: str) -> None:
    attributes = [("a", "x"), ("gen_ai.input.messages", STRANGE), ("b", ""), ("gen_ai.output.messages", "[]")]
    span = full(project) | {"input": STRANGE, "output": "[]", "attributes": attributes}
    stored = each_text_once(spans(span))
    assert stored["attributes"].to_pylist() == [
        [(key, text if text == "x" else "") for key, text in attributes]
    ]
    put(warehouse, "spans_versions", stored)
    [(of_view, of_one)] = rows(
        warehouse,
        f"SELECT attributes, attributes['gen_ai.input.messages'] FROM spans WHERE project_id = '{project}'",
    )
    assert list(of_view.items()) == attributes
    assert of_one == STRANGE
    detail = run(span_detail(warehouse, TRACE, KEY["span_id"], project))
    assert detail is not None
    assert list(detail.attributes.items()) == attributes
    whole = run(whole_spans(warehouse, [StoredSpanId(project, TRACE, KEY["span_id"], 1)]))
    assert whole["attributes"].to_pylist() == [attributes]


@pytest.mark.parametrize(("given", "answer"), [("q", "q"), ("q", ""), ("", "a"), ("q", "a"), ("", "")])
def test_attributes_stay_in_their_order(warehouse: Warehouse, project: str, given: str, answer: str) -> None:
    attributes = [("z", "a"), ("in", "q"), ("", "q"), ("b", "x"), ("again", "q"), ("a", "")]
    span = KEY | {"project_id": project, "input": given, "output": answer, "attributes": attributes}
    put(warehouse, "spans_versions", each_text_once(spans(span)))
    [(found,)] = rows(warehouse, f"SELECT attributes FROM spans WHERE project_id = '{project}'")
    assert list(found.items()) == attributes


def test_empty_everything(warehouse: Warehouse, project: str) -> None:
    put(warehouse, "spans_versions", spans(KEY | {"project_id": project}))
    columns = "name, tags, attributes, events, input, input_tokens, start_time"
    assert rows(warehouse, f"SELECT {columns} FROM spans WHERE project_id = '{project}'") == [
        ("", [], {}, [], "", 0, datetime.fromtimestamp(START, UTC))
    ]


def test_no_rows_need_no_insert(local_clickhouse: str) -> None:
    nowhere = connect(ClickHouseSettings(url=local_clickhouse, database="not_there"))
    run(insert(nowhere, "spans_versions", spans()))


@pytest.mark.parametrize("first", [1, 2])
def test_the_highest_version_wins_in_any_order(warehouse: Warehouse, project: str, first: int) -> None:
    for version in (first, 3 - first):
        row = KEY | {"project_id": project, "name": f"version {version}", "version": version}
        put(warehouse, "spans_versions", spans(row))
    query = f"SELECT name FROM spans WHERE project_id = '{project}'"
    assert rows(warehouse, query) == [("version 2",)]
    sql(warehouse.settings, f"OPTIMIZE TABLE {warehouse.settings.database}.spans_versions FINAL")
    assert rows(warehouse, query) == [("version 2",)]


@pytest.mark.parametrize("first", [1, 2])
def test_of_a_span_that_stands_twice_in_one_insert_the_highest_version_wins(
    warehouse: Warehouse, project: str, first: int
) -> None:
    both = ({"version": version, "name": f"v{version}"} for version in (first, 3 - first))
    put(warehouse, "spans_versions", spans(*(KEY | {"project_id": project} | each for each in both)))
    assert rows(warehouse, f"SELECT name FROM spans WHERE project_id = '{project}'") == [("v2",)]


def test_the_order_in_which_ingest_sends_spans_is_that_of_their_table(warehouse: Warehouse) -> None:
    [(key,)] = rows(
        warehouse,
        "SELECT sorting_key FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'spans_versions'",
    )
    assert key == ", ".join(SPANS_ORDER)


def test_the_same_rows_again_change_nothing(warehouse: Warehouse, project: str) -> None:
    for _ in range(3):
        put(warehouse, "spans_versions", spans(full(project)))
    assert rows(warehouse, f"SELECT count() FROM spans WHERE project_id = '{project}'") == [(1,)]


def test_a_deleted_row_is_hidden_until_a_newer_version_comes(warehouse: Warehouse, project: str) -> None:
    query = f"SELECT name FROM spans WHERE project_id = '{project}'"
    row = KEY | {"project_id": project, "name": "x"}
    put(warehouse, "spans_versions", spans(row | {"version": 1}))
    put(warehouse, "spans_versions", spans(row | {"version": 2, "is_deleted": 1}))
    put(warehouse, "spans_versions", spans(row | {"version": 1}))
    assert rows(warehouse, query) == []
    put(warehouse, "spans_versions", spans(row | {"version": 3}))
    assert rows(warehouse, query) == [("x",)]


def test_is_deleted_may_be_left_out(warehouse: Warehouse, project: str) -> None:
    table = spans(KEY | {"project_id": project}).drop_columns("is_deleted")
    put(warehouse, "spans_versions", table)
    assert rows(warehouse, f"SELECT count() FROM spans WHERE project_id = '{project}'") == [(1,)]


def test_a_large_insert_goes_in_parts(warehouse: Warehouse, project: str) -> None:
    table = spans(
        *(KEY | {"project_id": project, "span_id": f"{n:016x}", "input": "x" * 1000} for n in range(100))
    )
    run(insert(warehouse, "spans_versions", table, insert_bytes=20_000))
    assert rows(warehouse, f"SELECT count() FROM spans WHERE project_id = '{project}'") == [(100,)]


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(1, 2000))
def test_parts_are_the_table_again_and_small(sizes: list[int], limit: int) -> None:
    table = pa.table({"text": ["x" * size for size in sizes]})
    cut = list(parts(table, limit))
    assert pa.concat_tables([table.slice(0, 0), *cut]).to_pydict() == table.to_pydict()
    assert all(part.num_rows == 1 or part.nbytes <= limit for part in cut)


@pytest.mark.parametrize("compression", ["lz4", "zstd", "none"])
def test_every_compression_is_understood(warehouse: Warehouse, project: str, compression: str) -> None:
    other = connect(warehouse.settings.model_copy(update={"compression": compression}))
    put(other, "spans_versions", spans(full(project)))
    query = f"SELECT input = output, name FROM spans WHERE project_id = '{project}'"
    assert rows(other, query) == [(0, STRANGE)]


def test_an_insert_that_looks_like_an_earlier_one_is_not_dropped(empty: ClickHouseSettings) -> None:
    # As a replicated table would: it remembers the blocks that it has seen.
    sql(empty, f"CREATE DATABASE {empty.database}")
    sql(
        empty,
        f"CREATE TABLE {empty.database}.spans_versions (span_id String) ENGINE = MergeTree ORDER BY span_id "
        "SETTINGS non_replicated_deduplication_window = 100",
    )
    for _ in range(2):
        put(connect(empty), "spans_versions", pa.table({"span_id": ["a"]}))
    assert sql(empty, f"SELECT count() FROM {empty.database}.spans_versions") == [(2,)]


def test_only_known_tables_are_written(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="'spans' is not one of"):
        run(insert(warehouse, "spans", spans(KEY)))


def test_rows_that_do_not_fit_are_refused_without_repeating_them(warehouse: Warehouse) -> None:
    table = pa.table({"project_id": ["p"], "start_time": ["a patient's name"], "version": [1]})
    with pytest.raises(WarehouseError) as caught:
        run(insert(warehouse, "spans_versions", table))
    assert "could not insert into spans_versions" in str(caught.value)
    assert "patient" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_table_asks_for_migrate(empty: ClickHouseSettings) -> None:
    with pytest.raises(SchemaError, match="run `spanloom migrate`"):
        run(insert(connect(empty), "spans_versions", spans(KEY)))


def test_an_insert_goes_through_when_the_server_comes_and_after_it_was_killed(tmp_path: Path) -> None:
    port = free_port()
    server = clickhouse_process(port, tmp_path)
    settings = ClickHouseSettings(url=f"http://127.0.0.1:{port}", connect_timeout=1)
    warehouse = connect(settings)
    waits: list[str] = []

    async def start(_: float) -> None:
        """Instead of sleeping: the third time, the server comes up."""
        if len(waits) == 3:
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(migrate, settings)

    def write(span: str) -> None:
        table = spans({"project_id": "p", "trace_id": "0" * 32, "span_id": span})
        run(
            retry(
                lambda: insert(warehouse, "spans_versions", table),
                Unavailable,
                lambda why, _: waits.append(str(why)),
                sleep=start,
            )
        )

    try:
        write("first")
        assert len(waits) == 3
        server.stop(signal.SIGKILL)
        waits.clear()
        write("second")
        assert len(waits) == 3
        assert rows(warehouse, "SELECT span_id FROM spans ORDER BY span_id") == [("first",), ("second",)]
    finally:
        server.stop()
