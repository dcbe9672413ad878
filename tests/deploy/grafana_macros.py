"""A panel's SQL as the ClickHouse plugin of Grafana sends it: its macros and variables filled in.

After `pkg/macros/macros.go` and `applyConditionalAll` of the plugin's version 4.20.0. A macro that is not known
here is an error, so a typing mistake can't pass as a query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ALL = "$__all"
"""The value of a variable while everything is chosen."""


@dataclass(frozen=True)
class View:
    """What a person looks at: a time range, the width of a point, and what is chosen at the top."""

    start: int
    """Seconds since the epoch, as is `end`."""

    end: int
    interval: int = 60
    """Seconds from one point to the next."""

    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def expand(sql: str, view: View) -> str:
    """Return the SQL that ClickHouse gets.

    Raises:
        ValueError: it uses a macro or variable that nobody knows.
    """
    sql = re.sub(
        r"\$__conditionalAll\(((?:[^()]|\([^()]*\))*),\s*\$(\w+)\)",
        lambda match: "1=1" if view.variables[match[2]] in ((), (ALL,)) else match[1],
        sql,
    )
    sql = re.sub(
        r"\$\{(\w+):singlequote}", lambda match: ",".join(map(_quoted, view.variables[match[1]])), sql
    )
    sql = re.sub(r"\$__(\w+)(?:\(([^()]*)\))?", lambda match: _macro(match[1], match[2], view), sql)
    if "$" in sql:
        raise ValueError(f"unknown to the plugin: {sql[sql.index('$') :][:40]}")
    return sql


def _macro(name: str, argument: str | None, view: View) -> str:
    start, end = f"toDateTime({view.start})", f"toDateTime({view.end})"
    plain = {
        "fromTime": start,
        "toTime": end,
        "fromTime_ms": f"fromUnixTimestamp64Milli({view.start * 1000})",
        "toTime_ms": f"fromUnixTimestamp64Milli({view.end * 1000})",
        "interval_s": str(view.interval),
    }
    if name in plain and argument is None:
        return plain[name]
    if argument is None:
        raise ValueError(f"the macro $__{name} is unknown, or takes an argument")
    if name == "timeFilter":
        return f"{argument} >= {start} AND {argument} <= {end}"
    if name == "timeInterval":
        return f"toStartOfInterval(toDateTime({argument}), INTERVAL {view.interval} second)"
    if name == "dateTimeFilter":
        date, time = argument.split(",")
        days = f"({date} >= toDate({start}, 'UTC') AND {date} <= toDate({end}, 'UTC'))"
        return f"{days} AND ({time} >= {start} AND {time} <= {end})"
    raise ValueError(f"the macro $__{name} is unknown")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "\\'") + "'"
