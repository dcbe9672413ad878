"""What the worker reads to rebuild state: exact, by index, thousands of keys at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pytest

from spanloom.spans.folding.fact import FACT_COLUMNS
from spanloom.spans.folding.rows import CONTRIBUTION_TABLE
from spanloom.spans.table import SPAN_TABLE
from spanloom.warehouse import lookup
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.lookup import placed_traces, span_facts, window_contributions, window_versions
from tests.warehouse.tables import HOUR, SECOND, START, partial, put, rows, run, spans, sql, window

STRANGE = 'it\'s \\ 🧵 \t\n "x" ` (,)[]'


def tid(number: int) -> str:
    return f"{number:032x}"


def placed(project: str, session: str, hour: int, number: int, **values: object) -> dict[str, object]:
    start = (START + hour * HOUR) * SECOND
    return {
        "project_id": project,
        "session_id": session,
        "window_start": START + hour * HOUR,
        "trace_id": tid(number),
        "start_time": start + number,
        "end_time": start + SECOND,
        "version": 1,
        "is_deleted": 0,
    } | values


def test_facts_are_of_exactly_the_wanted_traces(warehouse: Warehouse, project: str) -> None:
    went_in = spans(
        *(
            {
                "project_id": owner,
                "trace_id": tid(number),
                "span_id": span,
                "tags": ["a", "b"],
                "metadata": [("k", STRANGE)],
                "input_preview": STRANGE,
                "version": 7,
            }
            for owner in (project, STRANGE)
            for number in (1, 2)
            for span in ("s1", "s2")
        )
    )
    put(warehouse, "spans_versions", went_in)
    found = run(span_facts(warehouse, [(project, tid(2)), (STRANGE, tid(1)), (project, tid(3))]))
    assert found.schema.names == list(FACT_COLUMNS)
    assert all(
        found.schema.field(name).type == SPAN_TABLE.field(name).type
        for name in FACT_COLUMNS
        if name != "version"
    )
    keys = list(
        zip(*(found[name].to_pylist() for name in ("project_id", "trace_id", "span_id")), strict=True)
    )
    wanted = [
        (project, tid(2), "s1"),
        (project, tid(2), "s2"),
        (STRANGE, tid(1), "s1"),
        (STRANGE, tid(1), "s2"),
    ]
    assert sorted(keys) == sorted(wanted)
    assert [trace for _, trace, _ in keys] in ([tid(1)] * 2 + [tid(2)] * 2, [tid(2)] * 2 + [tid(1)] * 2)
    assert found["metadata"].to_pylist() == [[("k", STRANGE)]] * 4
    assert found["version"].to_pylist() == [7] * 4


def test_facts_are_the_newest_and_not_deleted(warehouse: Warehouse, project: str) -> None:
    key = {"project_id": project, "trace_id": tid(1)}
    put(warehouse, "spans_versions", spans(key | {"span_id": "s", "name": "new", "version": 2}))
    put(warehouse, "spans_versions", spans(key | {"span_id": "s", "name": "old", "version": 1}))
    put(warehouse, "spans_versions", spans(key | {"span_id": "gone", "version": 1, "is_deleted": 1}))
    assert run(span_facts(warehouse, [(project, tid(1))]))["name"].to_pylist() == ["new"]


def test_no_keys_need_no_query(warehouse: Warehouse) -> None:
    assert run(span_facts(warehouse, [])).num_rows == 0
    assert run(window_versions(warehouse, [])).schema == lookup.WINDOW_VERSIONS


def test_thousands_of_keys_in_several_queries(
    warehouse: Warehouse, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "KEYS_A_QUERY", 700)
    put(
        warehouse,
        "spans_versions",
        spans(*({"project_id": project, "trace_id": tid(n), "span_id": "s"} for n in range(2000))),
    )
    keys = [(project, tid(n)) for n in range(-(-4000 // 2), 0, -1)] + [(project, tid(5))]
    assert run(span_facts(warehouse, keys)).num_rows == 1999


def granules(warehouse: Warehouse, query: str, wanted: pa.Table) -> tuple[int, int]:
    """How many granules are read of how many, after all indexes."""
    plan = run(warehouse.query_arrow("explain", f"EXPLAIN indexes = 1 {query}", wanted=wanted))
    found = re.findall(r"Granules: (\d+)/(\d+)", "\n".join(plan["explain"].to_pylist()))
    assert found
    return min(int(read) for read, _ in found), max(int(of) for _, of in found)


@pytest.fixture(scope="module")
def many(warehouse: Warehouse) -> str:
    """A project with 300,000 spans and traces."""
    database = warehouse.settings.database
    statements = (
        f"INSERT INTO {database}.spans_versions (project_id, trace_id, span_id, version) "
        "SELECT 'many', lower(hex(MD5(toString(number)))), 's', 1 FROM numbers(300000)",
        f"INSERT INTO {database}.traces_versions (project_id, session_id, window_start, trace_id, version) "
        f"SELECT 'many', hex(intDiv(number, 10)), toDateTime({START}, 'UTC'), "
        "lower(hex(MD5(toString(number)))), 1 FROM numbers(300000)",
        f"INSERT INTO {database}.session_windows_versions (project_id, window_start, session_id, version) "
        f"SELECT 'many', toDateTime({START} + intDiv(number, 1000) * 3600, 'UTC'), hex(number), 1 "
        "FROM numbers(300000)",
    )
    for statement in statements:
        sql(warehouse.settings, statement)
    return "many"


@pytest.mark.parametrize(
    ("query", "schema", "key"),
    [
        (
            lookup._SPAN_FACTS_SQL,
            lookup._TRACE_KEYS,
            "SELECT trace_id FROM spans WHERE project_id = 'many' LIMIT 1",
        ),
        (
            lookup._PLACED_TRACES_SQL,
            lookup._TRACE_KEYS,
            "SELECT trace_id FROM traces WHERE project_id = 'many' LIMIT 1",
        ),
        (lookup._WINDOW_CONTRIBUTIONS_SQL, lookup._WINDOW_KEYS, "SELECT 'A', 0"),
        (lookup._WINDOW_VERSIONS_SQL, lookup._WINDOW_KEYS, "SELECT 'A', 0"),
    ],
)
def test_an_index_finds_the_rows(
    warehouse: Warehouse, many: str, query: str, schema: pa.Schema, key: str
) -> None:
    [found] = rows(warehouse, key)
    values: Sequence[object] = (many, *found) if len(schema) == 2 else (many, "A", START)
    read, of = granules(warehouse, query, pa.table([[value] for value in values], schema=schema))
    assert of >= 30
    assert read <= 4


def test_a_trace_is_found_wherever_it_stands(warehouse: Warehouse, project: str) -> None:
    put(
        warehouse,
        "traces_versions",
        partial(
            placed(project, "", 0, 1, version=1),
            placed(project, "s", 0, 1, version=2),
            placed(project, STRANGE, 1, 2, version=3),
            placed(project, "s", 0, 3),
            placed(project + "x", "s", 0, 1),
        ),
    )
    # The first trace got its session later: it is withdrawn where it stood.
    put(warehouse, "traces_versions", partial(placed(project, "", 0, 1, version=2, is_deleted=1)))
    found = run(placed_traces(warehouse, [(project, tid(1)), (project, tid(2))])).to_pylist()
    assert sorted(tuple(row.values()) for row in found) == [
        (project, tid(1), "", START, 2),
        (project, tid(1), "s", START, 2),
        (project, tid(2), STRANGE, START + HOUR, 3),
    ]


def test_a_trace_between_two_places_shows_both(warehouse: Warehouse, project: str) -> None:
    put(warehouse, "traces_versions", partial(placed(project, "a", 0, 1), placed(project, "b", 0, 1)))
    found = run(placed_traces(warehouse, [(project, tid(1))]))
    assert sorted(found["session_id"].to_pylist()) == ["a", "b"]


def test_contributions_are_the_live_rows_of_exactly_these_windows(warehouse: Warehouse, project: str) -> None:
    some = {"tags": ["t"], "metadata": [("k", "v")], "models": ["m"], "services": [STRANGE]}
    some["input"] = "ü" * 201
    sums = {"input_tokens": 2**63, "total_cost": 0.25, "span_count": 3, "name": "n", "status": "ok"}
    put(
        warehouse,
        "traces_versions",
        partial(
            placed(project, STRANGE, 0, 1, **some, **sums),
            placed(project, STRANGE, 0, 2, **some, **sums),
            placed(project, STRANGE, 1, 3, **some, **sums),
            placed(project, "t", 0, 4, **some, **sums),
        ),
    )
    put(warehouse, "traces_versions", partial(placed(project, STRANGE, 0, 2, version=2, is_deleted=1)))
    found = run(window_contributions(warehouse, [(project, STRANGE, START), (project, "none", START)]))
    assert found.schema == CONTRIBUTION_TABLE
    [row] = found.to_pylist()
    assert (row["trace_id"], row["window_start"], row["version"]) == (tid(1), START, 1)
    assert (row["input_tokens"], row["total_cost"], row["services"]) == (2**63, 0.25, [STRANGE])
    assert row["input_start"] == "ü" * 200
    assert found["start_time"].cast(pa.int64()).to_pylist() == [START * SECOND + 1]


def test_contributions_have_all_columns_of_the_table_that_a_session_adds_up(warehouse: Warehouse) -> None:
    columns = {row[0] for row in rows(warehouse, "DESCRIBE TABLE traces_versions")}
    of_the_trace_alone = {"name", "metadata", "status", "input", "output", "root_span_id"}
    assert of_the_trace_alone < columns
    of_the_trace_alone |= {name for name in columns if name.endswith("_otherwise")}
    added_up = columns - of_the_trace_alone - {"is_deleted"} | {"input_start"}
    assert set(CONTRIBUTION_TABLE.names) == added_up


def test_versions_of_windows_include_deleted_ones(warehouse: Warehouse, project: str) -> None:
    put(
        warehouse,
        "session_windows_versions",
        partial(
            window(project, "s", 0, version=5),
            window(project, "s", 1, version=6),
            window(project, "other", 0, version=7),
        ),
    )
    put(
        warehouse,
        "session_windows_versions",
        partial(window(project, "s", 0, version=2**64 - 1, is_deleted=1), window(project, "s", 1, version=4)),
    )
    keys = [(project, "s", START), (project, "s", START + HOUR), (project, "s", START + 2 * HOUR)]
    found = sorted(tuple(row.values()) for row in run(window_versions(warehouse, keys)).to_pylist())
    assert found == [(project, "s", START, 2**64 - 1), (project, "s", START + HOUR, 6)]
