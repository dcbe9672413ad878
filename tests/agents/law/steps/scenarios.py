"""Small fixed cases that together touch all that a worker does."""

from __future__ import annotations

from dataclasses import replace

from tests.agents.law.cases import HOUR, MINUTE, SLOW, START, Message
from tests.agents.law.simulation import Forget, Step
from tests.agents.law.steps.disasters import (
    Erase,
    Replay,
    Rewind,
)
from tests.agents.law.steps.lost_state import LOST_STATE
from tests.agents.law.steps.scenario import FIRST, LATER, ROUND, call, case, one

_MOVES = case(
    {
        (1, 2): call(1, 2 * MINUTE, "t", "gen_ai__conversation__id"),
        (1, 1): call(0, 0),
        (2, 1): call(0, 2 * MINUTE, "t"),
    },
    one(1, 2, FIRST),
    one(2, 1, FIRST + 1),
    one(1, 1, FIRST + 2),
    steps=ROUND * 3,
)
"""A trace whose late root names another session and starts in an earlier window; another one stays."""

_PUT_OFF = replace(
    case(
        {(1, number): call(number > 1, number) for number in range(1, 5)},
        *(one(1, number, FIRST + number) for number in range(1, 5)),
        steps=ROUND * 4,
    ),
    pace=SLOW,
)
"""The row of a trace is written with its first span, and put off for the others."""

_LATE = case(
    {
        (1, 1): call(0, 0),
        (1, 2): call(1, 2),
        (1, 3): call(1, 3, "t", "session__id"),
        (2, 1): call(0, 4 * HOUR),
    },
    Message(((1, 1), (1, 2)), FIRST, 0),
    one(2, 1, LATER),
    one(1, 3, LATER + 1),
    steps=ROUND * 3,
)
"""A trace and its window are forgotten, and found again in ClickHouse for a late span."""

_IN_PARTS = case(
    {
        **{(1, number): call(number > 1, number) for number in (1, 2, 3)},
        (2, 1): call(0, 1, "t"),
    },
    one(1, 1, FIRST),
    one(1, 2, FIRST),
    one(2, 1, LATER),
    one(1, 3, LATER),
    steps=ROUND * 4,
)
"""A trace of two pieces is forgotten; its last span may be read beside the record by which it was."""

_ERASED = case(
    {
        (1, 1): call(0, 0),
        (1, 2): call(1, 2),
        (2, 1): call(0, 1),
        (2, 2): call(1, 2),
    },
    Message(((1, 1), (2, 1)), FIRST, 0),
    one(2, 2, FIRST + 1),
    one(1, 1, FIRST + 2),
    one(1, 2, FIRST + MINUTE),
    steps=(*ROUND, Forget(1, FIRST + 2), *ROUND[1:], *ROUND * 3),
)
"""A trace is forgotten on request that shares its piece of the changelog; what was meant comes again, then something
new."""

_ERASED_LATE = case(
    {(1, 1): call(0, 0), (1, 2): call(1, 2), (2, 1): call(0, 4 * HOUR)},
    one(1, 1, FIRST),
    one(2, 1, LATER),
    one(1, 2, FIRST),
    steps=(*ROUND * 2, Forget(1, LATER), *ROUND[1:], *ROUND),
)
"""A trace that the state does not have any more is forgotten on request, and a record of it comes again."""

_ERASED_AND_CLOSED = case(
    {
        (1, 1): call(0, 1),
        (1, 2): call(1, 2),
        (2, 1): call(0, 1, "t"),
        (2, 2): call(1, 2, "t"),
    },
    one(1, 1, FIRST),
    one(2, 1, LATER),
    one(2, 2, LATER + 1),
    one(1, 2, FIRST),
    steps=(*ROUND, Forget(1, FIRST), *ROUND[1:], *ROUND * 3),
)
"""A trace is forgotten on request and closed, and then a record comes that is older than its erasure."""

_ERASED_LESS = case(
    {
        (1, 1): call(0, 0),
        (1, 2): call(1, 2),
        (2, 1): call(0, 4 * HOUR),
    },
    one(1, 1, FIRST),
    one(1, 2, FIRST + 2),
    one(2, 1, LATER),
    steps=(
        *ROUND * 2,
        Forget(1, FIRST + 10),
        *ROUND[1:],
        *ROUND,
        Erase(1, FIRST),
        *ROUND[1:],
        Rewind(),
        *ROUND * 4,
    ),
)
"""A trace is forgotten on request and closed; an erasure of less comes that was held up, and then its spans again."""

_REPLAYED = case(
    {
        (1, 1): call(0, 0),
        (1, 2): call(1, 2, "t", "gen_ai__conversation__id"),
        (2, 1): call(0, 4 * HOUR),
        (2, 2): call(1, 4 * HOUR),
    },
    Message(((1, 1), (1, 2)), FIRST, 0),
    one(2, 1, LATER),
    one(2, 2, LATER + 1),
    steps=(*ROUND * 2, Replay(), *ROUND * 2),
)
"""A trace that is open and one that is not are read again, by other prices."""

_FAST = case(
    {
        (1, 1): call(0, 25 * MINUTE),
        (1, 3): call(1, 27 * MINUTE),
        (1, 2): call(0, 26 * MINUTE),
        (2, 1): call(0, 60 * MINUTE),
    },
    Message(((1, 1), (1, 3)), START, 0),
    one(2, 1, START + 61 * MINUTE),
    one(1, 2, START + 61 * MINUTE + 1),
    steps=ROUND * 3,
)
"""A trace whose application's clock is 25 minutes fast is forgotten, and goes on with one more root."""

_SEVERAL_ROOTS = case(
    {(1, 1): call(0, 0), (1, 2): call(0, 4 * HOUR), (2, 1): call(0, 4 * HOUR)},
    one(1, 1, FIRST),
    one(2, 1, LATER),
    one(1, 2, LATER + 1),
    steps=ROUND * 3,
)
"""A trace that is forgotten goes on with one more root, as if it were new."""

_INGEST_AHEAD = case(
    {(1, 1): call(0, 0), (2, 2): call(1, 0), (2, 3): call(1, 0)},
    one(1, 1, START),
    one(2, 2, START + 1),
    one(2, 3, START + 2),
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
    "forgotten on request, and then less of it": _ERASED_LESS,
    "a replay": _REPLAYED,
    "an application's clock 25 minutes fast": _FAST,
    "a trace with several roots": _SEVERAL_ROOTS,
    **LOST_STATE,
}
