"""How long the tables keep their rows, and that what is too old goes by whole parts."""

from __future__ import annotations

import asyncio

import pytest

from spanloom.warehouse import lookup
from spanloom.warehouse.client import connect
from spanloom.warehouse.schema.migrate import migrate
from spanloom.warehouse.settings import ClickHouseSettings, RetentionSettings
from tests.fixtures_local import wait_until
from tests.warehouse.tables import put, rows, spans, sql

DAY = 86_400


def test_retention_is_off_by_default(empty: ClickHouseSettings) -> None:
    migrate(empty)
    assert "TTL" not in engine(empty, "spans_versions")


def engine(settings: ClickHouseSettings, table: str) -> str:
    where = f"database = '{settings.database}' AND name = '{table}'"
    return str(sql(settings, f"SELECT engine_full FROM system.tables WHERE {where}")[0][0])


def test_retention_is_set_changed_and_removed_and_nothing_else_is_altered(empty: ClickHouseSettings) -> None:
    migrate(empty)
    both = empty.model_copy(update={"retention": RetentionSettings(spans_days=7, sessions_days=400)})
    expected = [
        "spans_versions keeps its rows for 7 days",
        "span_counts_versions keeps its rows for 7 days",
        "session_windows_versions keeps its rows for 400 days",
        "session_windows_by_session_versions keeps its rows for 400 days",
    ]
    assert migrate(both, dry_run=True) == expected
    assert "TTL" not in engine(empty, "spans_versions")
    assert migrate(both) == expected
    assert migrate(both) == []
    assert "TTL" in engine(empty, "spans_versions")
    assert "TTL" not in engine(empty, "traces_versions")

    longer = empty.model_copy(update={"retention": RetentionSettings(spans_days=8, sessions_days=400)})
    assert migrate(longer) == [
        "spans_versions keeps its rows for 8 days",
        "span_counts_versions keeps its rows for 8 days",
    ]
    assert migrate(empty) == [
        "spans_versions keeps its rows for ever",
        "span_counts_versions keeps its rows for ever",
        "session_windows_versions keeps its rows for ever",
        "session_windows_by_session_versions keeps its rows for ever",
    ]
    assert migrate(empty) == []
    assert "TTL" not in engine(empty, "spans_versions")


def test_a_ttl_of_somebody_else_stays(empty: ClickHouseSettings) -> None:
    migrate(empty)
    sql(
        empty,
        f"ALTER TABLE {empty.database}.spans_versions MODIFY TTL toDateTime(start_time) + toIntervalYear(9)",
    )
    assert migrate(empty) == []
    assert "toIntervalYear(9)" in engine(empty, "spans_versions")


def test_rows_go_by_their_last_change_whatever_their_own_clock_says(empty: ClickHouseSettings) -> None:
    migrate(empty.model_copy(update={"retention": RetentionSettings(spans_days=30)}))
    warehouse = connect(empty)
    now = int(sql(empty, "SELECT toUnixTimestamp(now())")[0][0])
    old, new = ((now - 37 * DAY - 1) * 1000) << 22, (now * 1000) << 22
    key = {"project_id": "p", "trace_id": "0" * 32}
    put(
        warehouse,
        "spans_versions",
        spans(
            key | {"span_id": "old", "version": old},
            key | {"span_id": "new", "version": new, "start_time": 0},  # a device whose clock is at 1970
        ),
    )
    sql(empty, f"OPTIMIZE TABLE {empty.database}.spans_versions FINAL")
    assert rows(warehouse, "SELECT span_id FROM spans") == [("new",)]


@pytest.mark.parametrize(("days", "longest"), [(1, 7), (30, 7), (89, 7), (90, 31), (400, 31)])
def test_rows_go_with_their_week_or_month_never_too_early(
    empty: ClickHouseSettings, days: int, longest: int
) -> None:
    migrate(empty.model_copy(update={"retention": RetentionSettings(spans_days=days)}))
    [_, expression] = engine(empty, "spans_versions").split(" TTL ")
    expression = expression.partition(" SETTINGS ")[0]
    changes = sql(
        empty,
        "SELECT toUnixTimestamp('2026-01-01 00:00:00', 'UTC') + number * 5000 AS changed, "
        "bitShiftLeft(toUInt64(changed) * 1000 + 999, 22) AS version, "
        f"toUnixTimestamp(toDateTime({expression}, 'UTC')) - changed FROM numbers(10000)",
    )
    kept = [seconds for _, _, seconds in changes]
    assert min(kept) > days * DAY
    assert max(kept) <= (days + longest) * DAY
    assert len({changed + seconds for changed, _, seconds in changes}) < 10_000 * 5000 / DAY / longest + 3


@pytest.mark.parametrize("days", [30, 89, 90, 400])
def test_how_old_rows_may_have_been_deleted(empty: ClickHouseSettings, days: int) -> None:
    migrate(empty)
    warehouse = connect(empty)

    def expired(table: str) -> int:
        return asyncio.run(lookup.database(warehouse, table)).expired_up_to // 1000

    assert expired("traces_versions") == 0
    migrate(empty.model_copy(update={"retention": RetentionSettings(traces_days=days)}))
    now = int(sql(empty, "SELECT toUnixTimestamp(now())")[0][0])
    assert 0 <= expired("traces_versions") + days * DAY - now < 60
    assert expired("spans_versions") == expired("session_windows_versions") == 0
    foreign = "MODIFY TTL toDateTime(start_time) + toIntervalYear(9)"
    sql(empty, f"ALTER TABLE {empty.database}.traces_versions {foreign}")
    assert 0 <= expired("traces_versions") + DAY - now < 60


def test_a_part_in_which_all_is_too_old_is_dropped(empty: ClickHouseSettings) -> None:
    migrate(empty.model_copy(update={"retention": RetentionSettings(spans_days=30)}))
    warehouse = connect(empty)
    now = int(sql(empty, "SELECT toUnixTimestamp(now())")[0][0])
    for age in (40, 0):
        key = {"project_id": "p", "trace_id": "0" * 32, "span_id": str(age)}
        put(
            warehouse,
            "spans_versions",
            spans(
                key | {"start_time": (now - age * DAY) * 10**9, "version": ((now - age * DAY) * 1000) << 22}
            ),
        )
    wait_until(lambda: rows(warehouse, "SELECT span_id FROM spans") == [("0",)], "the old part to go")
