"""Small fixed cases in which state, or a database, is lost, or kept for longer than before."""

from __future__ import annotations

from tests.agents.law.cases import BEHIND, HOUR, MINUTE, START, Message
from tests.agents.law.simulation import STAGES, Step
from tests.agents.law.steps.disasters import (
    BeginAnew,
    LoseChangelogs,
    OtherDatabase,
    Restart,
)
from tests.agents.law.steps.scenario import FIRST, LATER, ROUND, call, case, one

_ANEW_OPEN = case(
    {
        (1, 1): call(0, 0),
        (1, 2): call(0, 30 * MINUTE),
        (2, 1): call(0, 4 * HOUR),
        (1, 3): call(0, 4 * HOUR),
    },
    one(1, 1, FIRST),
    one(1, 2, START + 33 * MINUTE),
    one(2, 1, LATER),
    one(1, 3, LATER + 1),
    steps=(*ROUND, BeginAnew(), *ROUND, BeginAnew(), *ROUND * 2),
)
"""A trace with several roots is open when the changelog begins anew, and goes on soon, and after hours."""

_ANEW_FORGOTTEN = case(
    {
        (1, 1): call(0, 0),
        (2, 1): call(0, 4 * HOUR),
        (3, 1): call(0, 6 * HOUR),
        (1, 2): call(0, 6 * HOUR),
    },
    one(1, 1, FIRST),
    one(2, 1, LATER),
    one(3, 1, LATER + 2 * HOUR),
    one(1, 2, LATER + 2 * HOUR + 1),
    steps=(*ROUND * 2, BeginAnew(), *ROUND, Restart(), *ROUND),
)
"""One is forgotten when the changelog begins anew, and goes on after a restart; the state is not young any more."""

_LOST_OPEN = case(
    {(1, 1): call(0, 0), (1, 2): call(0, 30 * MINUTE)},
    one(1, 1, FIRST),
    one(1, 2, START + 33 * MINUTE),
    steps=(*ROUND, LoseChangelogs(), *ROUND),
)
"""One is open when the changelogs are lost, and goes on."""

_LONGER = case(
    {(1, 1): call(0, 10 * MINUTE), (2, 1): call(0, 4 * HOUR, "t"), (3, 1): call(0, 50 * MINUTE)},
    one(1, 1, START + 11 * MINUTE),
    one(2, 1, LATER),
    one(3, 1, LATER + MINUTE),
    steps=(*ROUND * 2, Restart(24 * 3600), *ROUND),
)
"""A window is forgotten, and the worker restarted with a longer retention, by which it would be here still."""

_LONGER_IN_PARTS = case(
    {
        **{(1, number): call(number > 1, number) for number in (1, 2, 3)},
        (2, 1): call(0, 1, "t"),
        (2, 2): call(1, 50 * MINUTE, "t"),
        (2, 3): call(1, 100 * MINUTE, "t"),
    },
    one(1, 1, FIRST),
    Message(((1, 2), (2, 1)), FIRST + 1, 0),
    one(2, 2, START + 53 * MINUTE),
    one(2, 3, START + 103 * MINUTE),
    one(1, 3, START + 104 * MINUTE),
    steps=(*ROUND * 4, Restart(4 * 3600), *ROUND),
)
"""The same of a trace of which a piece is kept for another one."""

_ANEW_KILLED = case(
    {(1, 1): call(0, 0), (2, 1): call(0, 4 * HOUR), (1, 2): call(0, 4 * HOUR)},
    one(1, 1, FIRST),
    one(2, 1, LATER),
    one(1, 2, LATER + 1),
    steps=(*ROUND, BeginAnew(), Restart(), *ROUND * 2),
)
"""A trace is open when the changelog begins anew, and the worker is restarted before its next checkpoint."""

_SLOW_COLLECTOR = case(
    {(1, 1): call(0, 90 * MINUTE), (2, 1): call(0, 91 * MINUTE), (2, 2): call(1, 92 * MINUTE)},
    one(1, 1, START + 91 * MINUTE - BEHIND),
    one(2, 1, START + 92 * MINUTE),
    one(2, 2, START + 92 * MINUTE + 1),
    steps=ROUND * 3,
)
"""A Collector's clock is more than two hours slow, and then set: what it sent before lay ahead of the stream clock."""

_DATABASE_LOST = case(
    {(1, 1): call(0, 0), (1, 2): call(1, 2), (2, 1): call(0, 4 * HOUR), (2, 2): call(1, 4 * HOUR)},
    one(1, 1, FIRST),
    one(2, 1, LATER),
    one(2, 2, LATER + 1),
    one(1, 2, LATER + 2),
    steps=(*ROUND * 2, OtherDatabase(), *ROUND * 2),
)
"""The database is lost when one trace is open and another one forgotten; Kafka has all spans still."""

_ROWS_LOST = case(
    {(1, 1): call(0, 0), (1, 2): call(1, 2 * MINUTE), (2, 1): call(0, 2 * MINUTE, "t")},
    one(1, 1, FIRST),
    one(2, 1, FIRST),
    one(1, 2, FIRST + 1),
    steps=(*ROUND * 2, OtherDatabase(rewound=False), *(Step(stage, 0) for stage in STAGES[1:]), *ROUND),
)
"""The same while all traces are open: the rows come from the changelogs alone."""

_CHANGELOGS_LOST = case(
    {
        (1, 1): call(0, 0),
        (1, 2): call(1, 2, "t"),
        (1, 3): call(0, -2 * MINUTE, "u"),
        (2, 1): call(0, 3 * MINUTE),
    },
    one(1, 1, FIRST),
    one(1, 2, FIRST + 1),
    one(2, 1, FIRST + 2),
    one(1, 3, FIRST + 3),
    steps=(*ROUND * 2, LoseChangelogs(), *ROUND * 2),
)
"""The changelogs are lost, and a trace moves afterwards."""

LOST_STATE = {
    "a changelog begins anew, a trace is open": _ANEW_OPEN,
    "a changelog begins anew, a trace is forgotten": _ANEW_FORGOTTEN,
    "lost changelogs, several roots": _LOST_OPEN,
    "a longer retention": _LONGER,
    "a longer retention, a piece is shared": _LONGER_IN_PARTS,
    "a changelog begins anew, and a restart": _ANEW_KILLED,
    "a Collector two hours slow": _SLOW_COLLECTOR,
    "a lost database, read again": _DATABASE_LOST,
    "a lost database, all open": _ROWS_LOST,
    "lost changelogs": _CHANGELOGS_LOST,
}
