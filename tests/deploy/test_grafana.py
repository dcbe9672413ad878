"""What deploy/grafana promises: dashboards that Grafana can read, and queries that the real engine answers.

No Grafana runs here: that it draws what it is given is not tested.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from spanloom.warehouse.client import Warehouse, connect, new_client
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings
from tests.deploy.grafana_macros import ALL, View, expand
from tests.warehouse.tables import HOUR, SECOND, START, partial, put, spans, sql, window

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
GRAFANA = DEPLOY / "grafana"
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
PANELS = {f"{name}: {panel['title']}": panel for name, board in BOARDS.items() for panel in board["panels"]}
QUERIES: dict[str, str] = {title: panel["targets"][0]["rawSql"] for title, panel in PANELS.items()} | {
    f"{name}: ${variable['name']}": variable["query"]
    for name, board in BOARDS.items()
    for variable in board["templating"]["list"]
    if variable["type"] == "query"
}
EVERYTHING = View(
    START - HOUR, START + 12 * HOUR, HOUR, {"project": (ALL,), "session": ("long",), "spanloom": ("",)}
)
PLUGIN = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}

# What a ClickHouse server writes down of a query, as far as panels read it; the local engine keeps no such log.
QUERY_LOG = """
CREATE TABLE system.query_log
(
    type Enum8('QueryStart' = 1, 'QueryFinish' = 2, 'ExceptionBeforeStart' = 3, 'ExceptionWhileProcessing' = 4),
    event_date Date, event_time DateTime, query_duration_ms UInt64, read_rows UInt64, read_bytes UInt64,
    memory_usage UInt64, current_database LowCardinality(String), query String,
    normalized_query_hash UInt64, query_kind LowCardinality(String),
    databases Array(LowCardinality(String)), exception_code Int32, user LowCardinality(String)
)
ENGINE = Memory
"""
LOGGED = """
INSERT INTO system.query_log SELECT
    'QueryFinish', toDate(event_time), fromUnixTimestamp({time}) AS event_time, 1500, 10, 100, 1000, '{database}',
    'SELECT 1 WHERE \\'secret\\' != \\'\\'', 7, 'Select', ['{database}'], 0, 'grafana'
"""


@pytest.fixture(scope="module")
def warehouse(local_clickhouse: str) -> Iterator[Warehouse]:
    """Tables and views with a few sessions of two projects, and a log of queries."""
    settings = ClickHouseSettings(url=local_clickhouse, database="grafana")
    migrate(settings)
    warehouse = connect(settings)
    _fill(warehouse)
    sql(settings, QUERY_LOG)
    sql(settings, LOGGED.format(time=START + HOUR, database="grafana"))
    yield warehouse
    warehouse.close()
    sql(settings, "DROP TABLE system.query_log")
    sql(settings, "DROP DATABASE grafana")


def _arrival(second: int) -> int:
    """The version of a row whose newest record came `second` seconds after START."""
    return (START + second) * 1000 << 22


def _trace(
    project: str, session: str, number: int, second: int, seconds: int, **values: Any
) -> dict[str, Any]:
    start = START + second
    return {
        "project_id": project,
        "session_id": session,
        "window_start": start - start % HOUR,
        "trace_id": f"{number:032x}",
        "name": "turn",
        "user_id": "",
        "tags": [],
        "services": ["web"],
        "models": ["gpt-5"],
        "start_time": start * SECOND,
        "end_time": (start + seconds) * SECOND,
        "llm_call_count": 2,
        "error_count": 0,
        "input_tokens": 100,
        "output_tokens": 10,
        "total_cost": 0.25,
        "unpriced_call_count": 0,
        "version": _arrival(second + seconds + 2),
        "is_deleted": 0,
    } | values


def _fill(warehouse: Warehouse) -> None:
    put(
        warehouse,
        "traces_versions",
        partial(
            _trace("shop", "long", 1, 0, 60, user_id="ann", tags=["beta", "night"]),
            _trace("shop", "long", 2, 10 * HOUR, 30, models=["gpt-5", "o9"], error_count=1),
            _trace("shop", "dear", 3, 2 * HOUR, 20, total_cost=3.0, services=["api", "web"]),
            _trace("lab", "slow", 4, 3 * HOUR, 1800, total_cost=0.0, models=["o9"], unpriced_call_count=2),
            _trace("lab", "", 5, 3 * HOUR, 5, models=[], services=[], llm_call_count=0, total_cost=0.0),
        ),
    )
    # Another version of a trace, and the mark of one that moved: what is dead until it is merged.
    again = {"total_cost": 3.5, "services": ["api", "web"], "version": _arrival(3 * HOUR)}
    put(warehouse, "traces_versions", partial(_trace("shop", "dear", 3, 2 * HOUR, 20, **again)))
    put(warehouse, "traces_versions", partial(_trace("lab", "gone", 4, 3 * HOUR, 1800, is_deleted=1)))

    def summed(project: str, session: str, hour: int, seconds: int, **values: Any) -> dict[str, Any]:
        times = {"end_time": (START + hour * HOUR + seconds) * SECOND, "active_nanoseconds": seconds * SECOND}
        sums = {"input_tokens": 100, "output_tokens": 10, "total_cost": 0.25, "error_count": 0}
        return (
            window(project, session, hour)
            | times
            | sums
            | {"version": _arrival(hour * HOUR + seconds + 2)}
            | values
        )

    put(
        warehouse,
        "session_windows_versions",
        partial(
            summed("shop", "long", 0, 60),
            summed("shop", "long", 10, 30, error_count=1),
            summed("shop", "dear", 2, 20, total_cost=3.5),
            summed("lab", "slow", 3, 1800, total_cost=0.0),
        ),
    )
    put(
        warehouse,
        "spans_versions",
        spans(
            *(
                {
                    "project_id": "shop",
                    "trace_id": f"{number:032x}",
                    "span_id": f"{number:016x}",
                    "start_time": (START + number) * SECOND,
                    "end_time": (START + number + 1) * SECOND,
                    "version": _arrival(number + 4),
                }
                for number in range(1, 9)
            )
        ),
    )


def answer(warehouse: Warehouse, query: str, view: View) -> list[dict[str, Any]]:
    """The rows of a query, asked as the plugin does it: over HTTP, with the default database, reading only."""
    client = new_client(warehouse.settings, warehouse.settings.database)
    try:
        return list(
            client.query(expand(query, view), settings={"readonly": 1}, tz_mode="aware").named_results()
        )
    finally:
        client.close()


def shown(warehouse: Warehouse, title: str, view: View = EVERYTHING) -> list[dict[str, Any]]:
    """The rows of a panel."""
    return answer(warehouse, QUERIES[title], view)


# --- The files


def test_there_are_two_dashboards_with_identities_of_their_own() -> None:
    assert {board["uid"]: board["title"] for board in BOARDS.values()} == {
        "spanloom-sessions": "Sessions overview",
        "spanloom-pipeline": "Pipeline health",
    }
    for board in BOARDS.values():
        assert board["id"] is None  # Grafana gives it
        assert board["schemaVersion"] == 42
        assert board["editable"] is False
        assert board["description"]
        identities = [panel["id"] for panel in board["panels"]]
        assert len(set(identities)) == len(identities)


def test_links_between_dashboards_lead_to_dashboards() -> None:
    linked = re.findall(r'"/d/([\w-]+)', json.dumps(BOARDS))
    assert set(linked) == {board["uid"] for board in BOARDS.values()}


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_says_what_it_shows_and_where_it_comes_from(title: str) -> None:
    panel = PANELS[title]
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["datasource"] == PLUGIN
    (target,) = panel["targets"]
    assert target["datasource"] == PLUGIN
    assert target["editorType"] == "sql"
    expected = (0, "timeseries") if panel["type"] == "timeseries" else (1, "table")
    assert (target["format"], target["queryType"]) == expected


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(name: str) -> None:
    board = BOARDS[name]
    text = json.dumps(board["panels"]) + json.dumps([v.get("query", "") for v in board["templating"]["list"]])
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert used == {variable["name"] for variable in board["templating"]["list"]} | {"datasource"}


def test_the_plugin_is_the_version_that_compose_installs() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    installed = compose["services"]["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]
    written_for = {panel["targets"][0]["pluginVersion"] for panel in PANELS.values()}
    assert {f"{PLUGIN['type']}@{version}" for version in written_for} == {installed}


# --- Provisioning


def test_the_data_source_is_the_plugin_over_http_with_a_login_from_the_environment() -> None:
    text = (GRAFANA / "provisioning/datasources/clickhouse.yaml").read_text()
    (source,) = yaml.safe_load(text)["datasources"]
    assert source["type"] == PLUGIN["type"]
    assert source["editable"] is False
    assert source["jsonData"]["protocol"] == "http"
    assert source["secureJsonData"] == {"password": "${GRAFANA_CLICKHOUSE_PASSWORD}"}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert set(re.findall(r"\$\{(\w+)}", text)) <= set(compose["services"]["grafana"]["environment"])


def test_dashboards_are_read_where_compose_mounts_them_and_stay_as_they_are() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/dashboards/spanloom.yaml").read_text())
    (provider,) = provisioned["providers"]
    assert provider["allowUiUpdates"] is False
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounts = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"


def test_the_user_reads_what_the_queries_read_and_nothing_else() -> None:
    users = ElementTree.parse(GRAFANA / "clickhouse-user.xml").getroot()
    assert users.findtext("profiles/grafana/readonly") == "1"
    assert users.find("profiles/grafana/constraints/max_execution_time/changeable_in_readonly") is not None
    password = users.find("users/grafana/password")
    assert password is not None
    assert password.attrib == {"from_env": "GRAFANA_CLICKHOUSE_PASSWORD"}
    granted = {query.text for query in users.findall("users/grafana/grants/query")}
    system = {table for query in QUERIES.values() for table in re.findall(r"FROM (system\.\w+)", query)}
    assert granted == {f"GRANT SELECT ON {table}" for table in system | {"spanloom.*"}}


# --- The queries


def test_a_mistyped_macro_would_be_found() -> None:
    for wrong in ("$__timeFiltre(x)", "$__fromTime()", "$__timeInterval", "$nobody", "${nobody}"):
        with pytest.raises(ValueError, match="unknown"):
            expand(f"SELECT {wrong}", EVERYTHING)


@pytest.mark.parametrize("projects", [(ALL,), ("shop",), ("shop", "it's")])
@pytest.mark.parametrize("title", QUERIES)
def test_the_engine_answers(warehouse: Warehouse, title: str, projects: tuple[str, ...]) -> None:
    view = View(EVERYTHING.start, EVERYTHING.end, 3600, {**EVERYTHING.variables, "project": projects})
    found = answer(warehouse, QUERIES[title], view)
    assert found or title == "pipeline: Merges under way"


@pytest.mark.parametrize("title", QUERIES)
def test_a_range_without_data_is_no_error(warehouse: Warehouse, title: str) -> None:
    answer(warehouse, QUERIES[title], View(START - 9 * HOUR, START - 8 * HOUR, 60, EVERYTHING.variables))


@pytest.mark.parametrize("title", [title for title, panel in PANELS.items() if panel["type"] == "timeseries"])
def test_a_graph_has_a_time_then_its_series_and_numbers_in_order(warehouse: Warehouse, title: str) -> None:
    found = shown(warehouse, title)
    first, *others = found[0]
    assert first == "time"
    assert all(isinstance(row["time"], datetime) for row in found)
    assert [row["time"] for row in found] == sorted(row["time"] for row in found)
    texts = [name for name in others if isinstance(found[0][name], str)]
    assert texts in ([], ["kind"])
    assert len(others) > len(texts)


@pytest.mark.parametrize("title", PANELS)
def test_every_number_has_a_unit(warehouse: Warehouse, title: str) -> None:
    config = PANELS[title]["fieldConfig"]
    assert config["defaults"]["unit"]
    units = {
        override["matcher"]["options"]: setting["value"]
        for override in config["overrides"]
        for setting in override["properties"]
        if setting["id"] == "unit"
    }
    for row in shown(warehouse, title):
        assert set(units) <= set(row)
        for name in row:
            if name.endswith("cost"):
                assert units[name] == "currencyUSD"
            if name.endswith("duration"):
                assert units[name] == "s"
            if "share" in name:
                assert units[name] == "percentunit"


@pytest.mark.parametrize("title", [title for title, panel in PANELS.items() if panel["type"] == "stat"])
def test_a_stat_is_one_row_of_numbers(warehouse: Warehouse, title: str) -> None:
    (row,) = shown(warehouse, title)
    assert all(isinstance(value, int | float) for value in row.values())


# --- What they say


def test_the_totals_are_those_of_the_views(warehouse: Warehouse) -> None:
    (row,) = shown(warehouse, "sessions: Totals of traces")
    columns = "count(), sum(total_cost), sum(total_tokens), sum(error_count)"
    (expected,) = sql(warehouse.settings, f"SELECT {columns} FROM grafana.traces")
    assert tuple(row.values())[:4] == expected == (5, 4.0, 550, 1)
    assert row["unpriced share"] == 2 / 8
    (count,) = shown(warehouse, "sessions: Sessions")
    assert [(count["sessions"],)] == sql(warehouse.settings, "SELECT count() FROM grafana.sessions") == [(3,)]


@pytest.mark.parametrize("by", ["model", "service", "user"])
def test_costs_add_up_to_the_total(warehouse: Warehouse, by: str) -> None:
    found = shown(warehouse, f"sessions: Cost by {by}")
    assert sum(row["cost"] for row in found) == 4.0
    assert sum(row["traces"] for row in found) == 5


def test_costs_stand_under_their_names(warehouse: Warehouse) -> None:
    def costs(by: str) -> dict[str, float]:
        return {row[by]: row["cost"] for row in shown(warehouse, f"sessions: Cost by {by}")}

    assert costs("model") == {"gpt-5": 3.75, "gpt-5 + o9": 0.25, "o9": 0.0, "(no model)": 0.0}
    assert costs("service") == {"api + web": 3.5, "web": 0.5, "(no service)": 0.0}
    assert costs("user") == {"(no user)": 3.75, "ann": 0.25}
    assert costs("tag") == {"beta": 0.25, "night": 0.25, "(no tag)": 3.75}


@pytest.mark.parametrize("hours", [(2, 3), (4, 5), (9, 12)])
def test_a_session_that_overlaps_the_range_is_listed_with_its_whole_totals(
    warehouse: Warehouse, hours: tuple[int, int]
) -> None:
    view = View(START + hours[0] * HOUR, START + hours[1] * HOUR - 1, 60, EVERYTHING.variables)
    found = {row["session_id"]: row for row in shown(warehouse, "sessions: Most expensive sessions", view)}
    assert found["long"]["total_cost"] == 0.5
    assert found["long"]["trace_count"] == 2
    assert ("dear" in found) == (hours == (2, 3))
    (count,) = shown(warehouse, "sessions: Sessions", view)
    assert count["sessions"] == len(found)


def test_the_dearest_and_the_slowest_come_first(warehouse: Warehouse) -> None:
    def listed(title: str) -> list[str]:
        return [row["session_id"] for row in shown(warehouse, f"sessions: {title} sessions")]

    assert listed("Most expensive") == ["dear", "long", "slow"]
    assert listed("Slowest") == ["slow", "long", "dear"]


def test_a_project_sees_its_own_only(warehouse: Warehouse) -> None:
    view = View(EVERYTHING.start, EVERYTHING.end, 60, {**EVERYTHING.variables, "project": ("lab",)})
    (row,) = shown(warehouse, "sessions: Totals of traces", view)
    assert (row["traces"], row["cost"]) == (2, 0.0)
    query = QUERIES["sessions: $project"]
    assert [row["project_id"] for row in answer(warehouse, query, EVERYTHING)] == ["lab", "shop"]


def test_dead_rows_are_counted(warehouse: Warehouse) -> None:
    found = {row["kind"]: row for row in shown(warehouse, "pipeline: Dead rows among what arrived")}
    # The engine may have merged the second version away already.
    assert found["traces"]["keys"] == 6
    assert found["traces"]["versions"] - found["traces"]["not merged yet"] == 6
    assert found["spans"]["keys"] == found["spans"]["versions"] == 8


def test_arrivals_are_known_from_versions(warehouse: Warehouse) -> None:
    found = shown(warehouse, "pipeline: From a span's end to its arrival")
    assert [(row["p50"], row["most"]) for row in found] == [(3.0, 3.0)]
    rates = {row["kind"] for row in shown(warehouse, "pipeline: Rows arriving")}
    assert rates == {"spans", "traces", "session windows"}


def test_what_is_worked_off_is_not_behind(warehouse: Warehouse) -> None:
    (behind,) = shown(warehouse, "pipeline: How far stages are behind")
    assert behind == {"traces behind spans": 0.0, "sessions behind traces": 0.0}
    (missing,) = shown(warehouse, "pipeline: Traces not in their session yet")
    assert missing == {"traces": 0}


def test_slow_queries_show_no_literals(warehouse: Warehouse) -> None:
    (row,) = shown(warehouse, "pipeline: Slow queries")
    assert (row["slowest"], row["runs"]) == (1.5, 1)
    assert "secret" not in row["statement"]
