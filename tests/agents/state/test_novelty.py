"""What is taken for certainly new is new, whatever clocks said: of applications, of Collectors, of a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.state.clock import StreamClock
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.stored import Database, StoredWindow
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.topics import TRACE_FACTS
from spanloom.spans.folding import contribution as contributions
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.counters import NOTHING
from spanloom.spans.folding.facts import TraceKey
from tests.spans.examples import KEY, fact

MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = 1_800_000_000_000 // HOUR * HOUR
AHEAD = NOW + 90 * MINUTE

WINDOW = WindowKey("default", "s", NOW // 1000)
"""The hour that has just begun, by clocks that are right."""


def sessions() -> SessionPartition:
    """With the default retention: an hour, and an hour for the window."""
    return SessionPartition(2 * HOUR, began=NOW - 24 * HOUR)


def contribution(window: WindowKey, trace: int = 1) -> Contribution:
    start = window.window_start * 1_000_000_000
    return Contribution(window, bytes([trace]) * 16, trace, False, start_time=start, counters=NOTHING)


def send(state: SessionPartition, timestamp: int, *windows: WindowKey) -> list[tuple[bytes, bytes | None]]:
    """A batch of one record; returns what the changelog gets."""
    state.clock.advance(timestamp)
    state.apply([(window, contribution(window)) for window in windows], b"", timestamp, timestamp)
    return state.collect().changelog


def restarted(state: SessionPartition | TracePartition, log: Sequence[tuple[bytes, bytes | None]]) -> None:
    for key, value in log:
        state.restore(key, value)
    state.restored()


@pytest.mark.parametrize("restart", [False, True])
def test_a_window_that_lay_ahead_of_a_slow_collector_is_not_new_once_it_is_forgotten(restart: bool) -> None:
    state = sessions()
    log = send(state, NOW + 10 * MINUTE - 130 * MINUTE, WINDOW)
    log += send(state, NOW + 20 * MINUTE)  # the Collector's clock was set
    assert WINDOW not in state
    if restart:
        state = sessions()
        restarted(state, log)
    state.clock.advance(NOW + 21 * MINUTE)
    assert state.novelty(WINDOW, []) is Novelty.OLD
    following = WINDOW._replace(window_start=WINDOW.window_start + 3600)
    state.clock.advance(NOW + HOUR + MINUTE)
    assert state.novelty(following, []) is Novelty.NEW


@pytest.mark.parametrize("restart", [False, True])
def test_a_trace_that_lay_ahead_of_a_slow_collector_is_not_new_once_it_is_forgotten(restart: bool) -> None:
    began = NOW - 24 * HOUR
    state, log = TracePartition(3600, HOUR, began), []
    start = (NOW + MINUTE) * 1_000_000
    child = [fact(2, 1, start_time=start)]
    for timestamp, items in ((NOW - 129 * MINUTE, [(KEY, child)]), (NOW + 10 * MINUTE, [])):
        state.apply(items, facts_codec.encode_traces(dict(items)) if items else b"", timestamp, 1)
        log += state.collect().changelog
    assert KEY not in state
    if restart:
        state = TracePartition(3600, HOUR, began)
        restarted(state, log)
    state.clock.advance(NOW + 12 * MINUTE)
    root = [[fact(1, start_time=NOW * 1_000_000)]]
    assert state.novelty(KEY, root) is Novelty.OLD
    other = TraceKey(KEY.project_id, b"another trace ID")
    later = [[fact(1, start_time=start + 1_000_000)]]
    assert state.novelty(other, later) is Novelty.NEW
    assert state.novelty(TraceKey("else", KEY.trace_id), root) is Novelty.NEW


@pytest.mark.parametrize("restart", [False, True])
def test_a_trace_goes_on_with_one_more_root_after_it_was_forgotten(restart: bool) -> None:
    began = NOW - 24 * HOUR
    state, log = TracePartition(3600, HOUR, began), []
    other = TraceKey(KEY.project_id, b"another trace ID")
    later = NOW + 3 * HOUR
    for timestamp, key, start in ((NOW, KEY, NOW), (later, other, later)):
        items = [(key, [fact(1, start_time=start * 1_000_000)])]
        state.apply(items, facts_codec.encode_traces(dict(items)), timestamp, 1)
        log += state.collect().changelog
    assert KEY not in state
    if restart:
        state = TracePartition(3600, HOUR, began)
        restarted(state, log)
    root = [[fact(9, start_time=later * 1_000_000)]]
    assert state.novelty(KEY, root) is Novelty.OLD
    assert state.novelty(TraceKey(KEY.project_id, b"one more trace.."), root) is Novelty.NEW


def test_what_was_forgotten_in_good_time_makes_nothing_unsure() -> None:
    state = sessions()
    send(state, NOW + MINUTE, WINDOW)
    send(state, NOW + 4 * HOUR)
    assert WINDOW not in state
    assert state.clock.forgotten_ahead == {}


def test_one_project_with_a_wrong_clock_costs_the_others_no_query() -> None:
    state = sessions()
    wrong = WindowKey("wrong", "s", NOW // 1000 + 100 * 365 * 24 * 3600)
    send(state, NOW, wrong)
    send(state, NOW + 3 * HOUR)
    state.clock.advance(NOW + 4 * HOUR)
    here = WINDOW._replace(window_start=WINDOW.window_start + 4 * 3600)
    assert state.novelty(here, []) is Novelty.NEW
    assert state.novelty(here._replace(project_id="wrong"), []) is Novelty.OLD


def test_more_projects_with_wrong_clocks_than_are_remembered_make_all_unsure() -> None:
    clock = StreamClock(now=NOW)
    for number in range(5000):
        clock.forget(f"p{number}", AHEAD + number, HOUR)
    assert len(clock.forgotten_ahead) <= 1001
    clock.advance(NOW + 2 * HOUR)
    kept = StreamClock()
    kept.restore(clock.to_message())
    for project in ("p0", "p4999", "other"):
        assert not kept.surely_remembers(project, AHEAD + 4999, HOUR)
        assert kept.surely_remembers(project, AHEAD + 5000, HOUR)
    clock.advance(NOW + 3 * HOUR)
    clock.forget_the_past(HOUR)
    assert clock.forgotten_ahead == {}


@pytest.mark.parametrize("settles", [True, False])
def test_a_state_that_begins_anew_asks_how_far_ahead_clocks_were(settles: bool) -> None:
    """An application's clock is 25 minutes fast, its session's window lies ahead, and the changelog is lost; also in
    the middle of a batch, when its next portion is applied at once."""
    state = SessionPartition(2 * HOUR, began=NOW - 20 * MINUTE)
    asked: list[int] = []
    looked_up: list[WindowKey] = []

    class Stored:
        async def database(self, _: str) -> Database:
            return Database("this one", is_empty=False)

        async def newest(self, _: Sequence[WindowKey]) -> dict[WindowKey, int]:
            return {}

        async def latest_ends(self, since: int) -> dict[str, int]:
            asked.append(since)
            return {"default": NOW + 5 * MINUTE}

    async def look_up(lost: Sequence[WindowKey], _: Sequence[WindowKey]) -> list[StoredWindow]:
        looked_up.extend(lost)
        return []

    async def run() -> None:
        stage = Sessions(lambda: {0: state}, look_up, Stored())
        for offset, window in enumerate((WINDOW, WINDOW._replace(project_id="other"))):
            if settles:
                await stage.settle()
            (value,) = contributions.encode([contribution(window)])
            await stage([SourceRecord(TRACE_FACTS, 0, offset, NOW + 6 * MINUTE, value, {})])

    asyncio.run(run())
    assert asked == [NOW - 20 * MINUTE]
    assert state.clock.kept_since == NOW - 20 * MINUTE
    assert looked_up == [WINDOW]


def test_beside_an_empty_database_nothing_is_asked() -> None:
    """Whatever was read before would have left rows."""
    state = TracePartition(3600, HOUR, NOW)
    root = [[fact(1, start_time=NOW * 1_000_000)]]
    state.clock.advance(NOW)
    assert state.novelty(KEY, root) is Novelty.OLD
    assert state.begin(Database("this one", is_empty=True), {})
    assert state.novelty(KEY, root) is Novelty.NEW


def test_right_after_the_state_was_lost_a_root_proves_nothing() -> None:
    state = TracePartition(3600, HOUR, NOW)
    state.begin(Database("this one", is_empty=False), {})
    for minutes, novelty in ((10, Novelty.NEW_WITHOUT_ROW), (59, Novelty.NEW_WITHOUT_ROW), (60, Novelty.NEW)):
        now = NOW + minutes * MINUTE
        state.clock.advance(now)
        assert state.novelty(KEY, [[fact(1, start_time=now * 1_000_000)]]) is novelty


def test_a_longer_retention_than_before_makes_nothing_certain() -> None:
    state = sessions()
    log = send(state, NOW + MINUTE, WINDOW)
    log += send(state, NOW + 4 * HOUR)
    assert WINDOW not in state
    state = SessionPartition(48 * HOUR, began=NOW - 24 * HOUR)
    restarted(state, log)
    assert state.novelty(WINDOW, []) is Novelty.OLD
    assert state.novelty(WINDOW._replace(window_start=WINDOW.window_start + 3 * 3600), []) is Novelty.NEW
