"""All rows that readers see, and in how many two databases differ."""

from __future__ import annotations

from collections import Counter

from benchmarks.exactness import Ask

Rows = Counter[tuple[str, str, str]]
"""How often there is a row: its view, the session or trace that it belongs to, and a hash of all of its columns."""

_OWNER = {
    "spans": "trace_id",
    "traces": "trace_id",
    "session_windows": "session_id",
    "sessions": "session_id",
}


def all_rows(ask: Ask) -> Rows:
    """Return every row of the four views; every column of a row counts."""
    found: Rows = Counter()
    for view, owner in _OWNER.items():
        sql = f"SELECT {owner} AS owner, hex(sipHash128(toString(tuple(*)))) AS hash FROM {view}"
        found.update((view, row["owner"], row["hash"]) for row in ask(sql))
    return found


def wrong(found: Rows, expected: Rows) -> int:
    """Return how many rows are missing, other than expected, or too many."""
    missing, surplus = expected - found, found - expected
    return max(missing.total(), surplus.total())


def without(rows: Rows, traces: set[str], sessions: set[str]) -> Rows:
    """Return the rows that are of none of these traces and sessions."""
    gone = {"spans": traces, "traces": traces, "session_windows": sessions, "sessions": sessions}
    return Counter({row: count for row, count in rows.items() if row[1] not in gone[row[0]]})


def differing(found: Rows, expected: Rows, limit: int = 5) -> str:
    """Say which rows differ, the first few of each kind."""
    parts = []
    for name, some in (("missing", expected - found), ("surplus", found - expected)):
        some_of = [f"{view} {owner}" for view, owner, _ in list(some)[:limit]]
        parts.append(f"{name} {some.total()}: {', '.join(some_of) or '-'}")
    return "; ".join(parts)
