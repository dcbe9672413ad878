"""How long the tables keep their rows: ClickHouse's TTL."""

from __future__ import annotations

import re

from clickhouse_connect.driver.client import Client

from spanloom.warehouse.settings import ClickHouseSettings

# A row's age counts from its `version`, whose upper bits are the timestamp (ms) of the newest record in it.
# So an older version of a row always goes before a newer one and can't come to light again, a row that says
# "deleted" outlives what it hides, and a span whose own clock is wrong neither vanishes at once nor stays.
_LAST_CHANGE = "toDateTime(intDiv(bitShiftRight(version, 22), 1000))"

_OUR_TTL = re.compile(rf"TTL {re.escape(_LAST_CHANGE)} \+ toIntervalDay\((\d+)\)")

_ENGINES = """
SELECT
    name,
    engine_full
FROM system.tables
WHERE database = {database:String}
"""


def apply_retention(client: Client, settings: ClickHouseSettings, dry_run: bool = False) -> list[str]:
    """Set each table's TTL to what the settings say; nothing is altered that is right already.

    Rows that are there count too: ClickHouse rewrites them in the background. A TTL that someone else gave
    a table stays, unless the settings name a time for the table.

    Returns: a sentence for each table that was changed (or would be, in a dry run).
    """
    keep = settings.retention
    days_of = {
        "spans_versions": keep.spans_days,
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
        present = int(ours.group(1)) if ours else None
        if days == present:
            continue
        if days is None:
            change, sentence = "REMOVE TTL", f"{table} keeps its rows for ever"
        else:
            change = f"MODIFY TTL {_LAST_CHANGE} + toIntervalDay({days})"
            sentence = f"{table} keeps its rows for {days} days"
        if not dry_run:
            client.command(f"ALTER TABLE {settings.database}.{table} {change}")
        changed.append(sentence)
    return changed
