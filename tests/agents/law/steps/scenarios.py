"""Small fixed cases that together touch all that a worker does."""

from __future__ import annotations

from dataclasses import replace

from tests.agents.law.cases import BEHIND, HOUR, MINUTE, SLOW, START, Case, Message, SpanOf
from tests.agents.law.simulation import STAGES, Event, Forget, Step
from tests.agents.law.steps.disasters import BeginAnew, LoseChangelogs, OtherDatabase, Replay, Restart

FIRST = START + 3 * MINUTE
LATER = START + 4 * HOUR
"""By then all that came first is forgotten."""

_ROUND = tuple(Step(stage, 1) for stage in STAGES)


def _call(parent: int, start: int, session: str = "s", key: str = "session__id") -> SpanOf:
    return SpanOf(parent, start, session, key, calls=True)


def _one(trace: int, number: int, timestamp: int) -> Message:
    return Message(((trace, number),), timestamp, 0)


def _case(
    spans: dict[tuple[int, int], SpanOf],
    *messages: Message,
    steps: tuple[Step | Forget | Event, ...],
) -> Case:
    return Case(START - 24 * HOUR, True, 1, spans, messages, steps)


_MOVES = _case(
    {
        (1, 2): _call(1, 2 * MINUTE, "t", "gen_ai__conversation__id"),
        (1, 1): _call(0, 0),
        (2, 1): _call(0, 2 * MINUTE, "t"),
    },
    _one(1, 2, FIRST),
    _one(2, 1, FIRST + 1),
    _one(1, 1, FIRST + 2),
    steps=_ROUND * 3,
)
"""A trace whose late root names another session and starts in an earlier window; another one stays."""

_PUT_OFF = replace(
    _case(
        {(1, number): _call(number > 1, number) for number in range(1, 5)},
        *(_one(1, number, FIRST + number) for number in range(1, 5)),
        steps=_ROUND * 4,
    ),
    pace=SLOW,
)
"""The row of a trace is written with its first span, and put off for the others."""

_LATE = _case(
    {
        (1, 1): _call(0, 0),
        (1, 2): _call(1, 2),
        (1, 3): _call(1, 3, "t", "session__id"),
        (2, 1): _call(0, 4 * HOUR),
    },
    Message(((1, 1), (1, 2)), FIRST, 0),
    _one(2, 1, LATER),
    _one(1, 3, LATER + 1),
    steps=_ROUND * 3,
)
"""A trace and its window are forgotten, and found again in ClickHouse for a late span."""

_IN_PARTS = _case(
    {
        **{(1, number): _call(number > 1, number) for number in (1, 2, 3)},
        (2, 1): _call(0, 1, "t"),
    },
    _one(1, 1, FIRST),
    _one(1, 2, FIRST),
    _one(2, 1, LATER),
    _one(1, 3, LATER),
    steps=_ROUND * 4,
)
"""A trace of two pieces is forgotten; its last span may be read beside the record by which it was."""

_ERASED = _case(
    {
        (1, 1): _call(0, 0),
        (1, 2): _call(1, 2),
        (2, 1): _call(0, 1),
        (2, 2): _call(1, 2),
    },
    Message(((1, 1), (2, 1)), FIRST, 0),
    _one(2, 2, FIRST + 1),
    _one(1, 1, FIRST + 2),
    _one(1, 2, FIRST + MINUTE),
    steps=(*_ROUND, Forget(1, FIRST + 2), *_ROUND[1:], *_ROUND * 3),
)
"""A trace is forgotten on request that shares its piece of the changelog; what was meant comes again, then something
new."""

_ERASED_LATE = _case(
    {(1, 1): _call(0, 0), (1, 2): _call(1, 2), (2, 1): _call(0, 4 * HOUR)},
    _one(1, 1, FIRST),
    _one(2, 1, LATER),
    _one(1, 2, FIRST),
    steps=(*_ROUND * 2, Forget(1, LATER), *_ROUND[1:], *_ROUND),
)
"""A trace that the state does not have any more is forgotten on request, and a record of it comes again."""

_ERASED_AND_CLOSED = _case(
    {
        (1, 1): _call(0, 1),
        (1, 2): _call(1, 2),
        (2, 1): _call(0, 1, "t"),
        (2, 2): _call(1, 2, "t"),
    },
    _one(1, 1, FIRST),
    _one(2, 1, LATER),
    _one(2, 2, LATER + 1),
    _one(1, 2, FIRST),
    steps=(*_ROUND, Forget(1, FIRST), *_ROUND[1:], *_ROUND * 3),
)
"""A trace is forgotten on request and closed, and then a record comes that is older than its erasure."""

_REPLAYED = _case(
    {
        (1, 1): _call(0, 0),
        (1, 2): _call(1, 2, "t", "gen_ai__conversation__id"),
        (2, 1): _call(0, 4 * HOUR),
        (2, 2): _call(1, 4 * HOUR),
    },
    Message(((1, 1), (1, 2)), FIRST, 0),
    _one(2, 1, LATER),
    _one(2, 2, LATER + 1),
    steps=(*_ROUND * 2, Replay(), *_ROUND * 2),
)
"""A trace that is open and one that is not are read again, by other prices."""

_FAST = _case(
    {
        (1, 1): _call(0, 25 * MINUTE),
        (1, 3): _call(1, 27 * MINUTE),
        (1, 2): _call(0, 26 * MINUTE),
        (2, 1): _call(0, 60 * MINUTE),
    },
    Message(((1, 1), (1, 3)), START, 0),
    _one(2, 1, START + 61 * MINUTE),
    _one(1, 2, START + 61 * MINUTE + 1),
    steps=_ROUND * 3,
)
"""A trace whose application's clock is 25 minutes fast is forgotten, and goes on with one more root."""

_SEVERAL_ROOTS = _case(
    {(1, 1): _call(0, 0), (1, 2): _call(0, 4 * HOUR), (2, 1): _call(0, 4 * HOUR)},
    _one(1, 1, FIRST),
    _one(2, 1, LATER),
    _one(1, 2, LATER + 1),
    steps=_ROUND * 3,
)
"""A trace that is forgotten goes on with one more root, as if it were new."""

_ANEW_OPEN = _case(
    {
        (1, 1): _call(0, 0),
        (1, 2): _call(0, 30 * MINUTE),
        (2, 1): _call(0, 4 * HOUR),
        (1, 3): _call(0, 4 * HOUR),
    },
    _one(1, 1, FIRST),
    _one(1, 2, START + 33 * MINUTE),
    _one(2, 1, LATER),
    _one(1, 3, LATER + 1),
    steps=(*_ROUND, BeginAnew(), *_ROUND, BeginAnew(), *_ROUND * 2),
)
"""A trace with several roots is open when the changelog begins anew, and goes on soon, and after hours."""

_ANEW_FORGOTTEN = _case(
    {
        (1, 1): _call(0, 0),
        (2, 1): _call(0, 4 * HOUR),
        (3, 1): _call(0, 6 * HOUR),
        (1, 2): _call(0, 6 * HOUR),
    },
    _one(1, 1, FIRST),
    _one(2, 1, LATER),
    _one(3, 1, LATER + 2 * HOUR),
    _one(1, 2, LATER + 2 * HOUR + 1),
    steps=(*_ROUND * 2, BeginAnew(), *_ROUND, Restart(), *_ROUND),
)
"""One is forgotten when the changelog begins anew, and goes on after a restart; the state is not young any more."""

_LOST_OPEN = _case(
    {(1, 1): _call(0, 0), (1, 2): _call(0, 30 * MINUTE)},
    _one(1, 1, FIRST),
    _one(1, 2, START + 33 * MINUTE),
    steps=(*_ROUND, LoseChangelogs(), *_ROUND),
)
"""One is open when the changelogs are lost, and goes on."""

_LONGER = _case(
    {(1, 1): _call(0, 10 * MINUTE), (2, 1): _call(0, 4 * HOUR, "t"), (3, 1): _call(0, 50 * MINUTE)},
    _one(1, 1, START + 11 * MINUTE),
    _one(2, 1, LATER),
    _one(3, 1, LATER + MINUTE),
    steps=(*_ROUND * 2, Restart(24 * 3600), *_ROUND),
)
"""A window is forgotten, and the worker restarted with a longer retention, by which it would be here still."""

_LONGER_IN_PARTS = _case(
    {
        **{(1, number): _call(number > 1, number) for number in (1, 2, 3)},
        (2, 1): _call(0, 1, "t"),
        (2, 2): _call(1, 50 * MINUTE, "t"),
        (2, 3): _call(1, 100 * MINUTE, "t"),
    },
    _one(1, 1, FIRST),
    Message(((1, 2), (2, 1)), FIRST + 1, 0),
    _one(2, 2, START + 53 * MINUTE),
    _one(2, 3, START + 103 * MINUTE),
    _one(1, 3, START + 104 * MINUTE),
    steps=(*_ROUND * 4, Restart(4 * 3600), *_ROUND),
)
"""The same of a trace of which a piece is kept for another one."""

_ANEW_KILLED = _case(
    {(1, 1): _call(0, 0), (2, 1): _call(0, 4 * HOUR), (1, 2): _call(0, 4 * HOUR)},
    _one(1, 1, FIRST),
    _one(2, 1, LATER),
    _one(1, 2, LATER + 1),
    steps=(*_ROUND, BeginAnew(), Restart(), *_ROUND * 2),
)
"""A trace is open when the changelog begins anew, and the worker is restarted before its next checkpoint."""

_SLOW_COLLECTOR = _case(
    {(1, 1): _call(0, 90 * MINUTE), (2, 1): _call(0, 91 * MINUTE), (2, 2): _call(1, 92 * MINUTE)},
    _one(1, 1, START + 91 * MINUTE - BEHIND),
    _one(2, 1, START + 92 * MINUTE),
    _one(2, 2, START + 92 * MINUTE + 1),
    steps=_ROUND * 3,
)
"""A Collector's clock is more than two hours slow, and then set: what it sent before lay ahead of the stream clock."""

_DATABASE_LOST = _case(
    {(1, 1): _call(0, 0), (1, 2): _call(1, 2), (2, 1): _call(0, 4 * HOUR), (2, 2): _call(1, 4 * HOUR)},
    _one(1, 1, FIRST),
    _one(2, 1, LATER),
    _one(2, 2, LATER + 1),
    _one(1, 2, LATER + 2),
    steps=(*_ROUND * 2, OtherDatabase(), *_ROUND * 2),
)
"""The database is lost when one trace is open and another one forgotten; Kafka has all spans still."""

_ROWS_LOST = _case(
    {(1, 1): _call(0, 0), (1, 2): _call(1, 2 * MINUTE), (2, 1): _call(0, 2 * MINUTE, "t")},
    _one(1, 1, FIRST),
    _one(2, 1, FIRST),
    _one(1, 2, FIRST + 1),
    steps=(*_ROUND * 2, OtherDatabase(rewound=False), *(Step(stage, 0) for stage in STAGES[1:]), *_ROUND),
)
"""The same while all traces are open: the rows come from the changelogs alone."""

_CHANGELOGS_LOST = _case(
    {
        (1, 1): _call(0, 0),
        (1, 2): _call(1, 2, "t"),
        (1, 3): _call(0, -2 * MINUTE, "u"),
        (2, 1): _call(0, 3 * MINUTE),
    },
    _one(1, 1, FIRST),
    _one(1, 2, FIRST + 1),
    _one(2, 1, FIRST + 2),
    _one(1, 3, FIRST + 3),
    steps=(*_ROUND * 2, LoseChangelogs(), *_ROUND * 2),
)
"""The changelogs are lost, and a trace moves afterwards."""

_INGEST_AHEAD = _case(
    {(1, 1): _call(0, 0), (2, 2): _call(1, 0), (2, 3): _call(1, 0)},
    _one(1, 1, START),
    _one(2, 2, START + 1),
    _one(2, 3, START + 2),
    steps=(
        *[Step("ingest", 1)] * 3,
        Step("traces", 2),
        Step("sessions", 9),
        Step("traces", 1),
        Step("sessions", 9),
    ),
)
"""ClickHouse has spans that the traces stage has not come to: whatever is looked up is ahead."""

SCENARIOS = {
    "ingest ahead": _INGEST_AHEAD,
    "a trace that moves": _MOVES,
    "a row put off": _PUT_OFF,
    "forgotten by retention and found again": _LATE,
    "forgotten in parts": _IN_PARTS,
    "forgotten on request": _ERASED,
    "forgotten on request after retention": _ERASED_LATE,
    "forgotten on request and closed": _ERASED_AND_CLOSED,
    "a replay": _REPLAYED,
    "an application's clock 25 minutes fast": _FAST,
    "a trace with several roots": _SEVERAL_ROOTS,
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
