"""How long the tables keep their rows: ClickHouse's TTL."""

from __future__ import annotations

import re

from clickhouse_connect.driver.client import Client

from spanloom.warehouse.settings import ClickHouseSettings

# A row's age counts from its `version`, whose upper bits are the timestamp (ms) of the newest record in it.
# So an older version of a row always goes before a newer one or with it, a row that marks "deleted" outlives
# what it hides, and a span whose own clock is wrong neither vanishes at once nor stays.
_LAST_CHANGE = "toDateTime(intDiv(bitShiftRight(version, 22), 1000), 'UTC')"

# Rows go a week or a month at a time: then nearly all rows of a part expire together, and the part is dropped.
# If each went to the second, ClickHouse would write what is left of a month anew every four hours. Not
# `ttl_only_drop_parts`: one row that changed late would keep a whole month.
_WEEKS_UP_TO_DAYS = 90
_WEEK_END = f"toMonday({_LAST_CHANGE}) + toIntervalDay"
_MONTH_END = f"toLastDayOfMonth({_LAST_CHANGE}) + toIntervalDay"

_OUR_TTL = re.compile(rf"TTL (?:{re.escape(_WEEK_END)}|{re.escape(_MONTH_END)})\((\d+)\)")

_DAY = 86_400_000  # ms


def _ttl(days: int) -> str:
    """The end of the week (from `_WEEKS_UP_TO_DAYS` on, of the month) of the last change, and `days` days."""
    return f"{_WEEK_END}({days + 7})" if days < _WEEKS_UP_TO_DAYS else f"{_MONTH_END}({days + 1})"


def expired_up_to(engine: str, now: int) -> int:
    """Return before which time (ms) a row of a table must have changed last to be deleted by its age; 0: none is.

    Args:
        engine: as `engine_full` of `system.tables` has it.
        now: milliseconds since the epoch.
    """
    if " TTL " not in engine:
        return 0
    ours = _OUR_TTL.search(engine)
    # Who else gave the table a TTL will not delete within a day.
    return now - (_DAY * _days(int(ours[1]), ours[0]) if ours else _DAY)


def _days(interval: int, ttl: str) -> int:
    """How long a row lives at least, of what `_ttl` made of it."""
    return interval - (7 if _WEEK_END in ttl else 1)


_ENGINES = """
SELECT
    name,
    engine_full
FROM system.tables
WHERE database = {database:String}
"""


def apply_retention(client: Client, settings: ClickHouseSettings, dry_run: bool = False) -> list[str]:
    """Set each table's TTL to what the settings say; a TTL that is right already is not altered.

    Rows that are there count too: ClickHouse rewrites them in the background. A TTL that someone else gave
    a table stays, unless the settings name a time for the table.

    Returns: a sentence for each table that was changed (or would be, in a dry run).
    """
    keep = settings.retention
    days_of = {
        "spans_versions": keep.spans_days,
        "span_counts_versions": keep.spans_days,
        "traces_versions": keep.traces_days,
        "traces_by_time_versions": keep.traces_days,
        "session_windows_versions": keep.sessions_days,
        "session_windows_by_session_versions": keep.sessions_days,
    }
    rows = client.query(_ENGINES, {"database": settings.database}).result_rows
    engines = {str(name): str(engine) for name, engine in rows}
    changed = []
    for table, days in days_of.items():
        ours = _OUR_TTL.search(engines.get(table, ""))
        if (ours[0] if ours else None) == (None if days is None else f"TTL {_ttl(days)}"):
            continue
        if days is None:
            change, sentence = "REMOVE TTL", f"{table} keeps its rows for ever"
        else:
            change = f"MODIFY TTL {_ttl(days)}"
            sentence = f"{table} keeps its rows for {days} days"
        if not dry_run:
            client.command(f"ALTER TABLE {settings.database}.{table} {change}")
        changed.append(sentence)
    return changed
