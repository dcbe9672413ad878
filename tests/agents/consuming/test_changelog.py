"""What a changelog brings back is a state like any other; where it begins anew nothing is left of what was before."""

from __future__ import annotations

import pytest

from spanloom.agents.consuming.changelog import BEGINS_ANEW, Changelog
from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.stored import Database
from spanloom.agents.state.trace.last_forgotten import LastForgotten, is_chunk
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka.producer import Appended
from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.counters import NOTHING
from spanloom.spans.folding.facts import TraceKey
from tests.spans.examples import fact

HOUR = 3_600_000
BEGAN = 1_800_000_000_000 // HOUR * HOUR
NOW = BEGAN + HOUR
WINDOW = WindowKey("default", "s", NOW // 1000)


def new_state() -> SessionPartition:
    return SessionPartition(2 * HOUR, BEGAN)


def contribution(trace: int) -> Contribution:
    start = WINDOW.window_start * 1_000_000_000
    return Contribution(WINDOW, bytes([trace]) * 16, trace, False, start_time=start, counters=NOTHING)


def records(unfinished: bool) -> list[tuple[bytes, bytes | None]]:
    """Of a state that owes its row to a database that is there now; behind a checkpoint, or amid one."""
    state = new_state()
    state.begin(Database("the first", is_empty=True), {})
    state.begin_after({})
    state.apply([(WINDOW, contribution(1))], b"", NOW, 1)
    written = list(state.collect().changelog)
    state.begin(Database("the second", is_empty=True), {})
    state.apply([(WINDOW, contribution(3))], b"", NOW, 2)
    written += state.collect().changelog
    if unfinished:
        state.apply([(WINDOW, contribution(2))], b"", NOW, 3)
        written += [record for record in state.collect().changelog if record[0] != CLOCK_RECORD]
    return written


def restored(records: list[tuple[bytes, bytes | None]]) -> SessionPartition:
    changelog = Changelog("changelog", new_state)
    assert changelog.begin([0]) == [0]
    for key, value in records:
        changelog.restore(0, key, value)
    changelog.complete([0])
    return changelog[0]


@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize("compacted", [False, True])
def test_where_the_state_begins_anew_nothing_is_left_of_what_was_before(
    unfinished: bool, compacted: bool
) -> None:
    before = records(unfinished)
    state = restored(before)
    assert len(state) == 1
    assert state.database == "not the second"
    assert state.written
    assert state.clock.now
    assert bool(state.unsure) is unfinished
    assert not state.began_anew
    assert not state.has_begun
    emptied = [(key, None) for key in dict.fromkeys(key for key, _ in before)]
    state = restored([*([] if compacted else before), *emptied, (BEGINS_ANEW, b"anew")])
    assert len(state) == 0
    assert (state.database, state.written) == ("", None)
    assert (state.owed, state.unsure) == (set(), set())
    assert (state.clock.now, state.clock.kept_since) == (0, BEGAN)
    assert state.began_anew, "ClickHouse must be asked how far ahead clocks were"
    assert not state.has_begun
    assert state.begin(Database("the second", is_empty=False), {}), "no row is owed of what is not here"
    assert state.collect().changelog[0][0] == CLOCK_RECORD, "no tombstone of what was there"


def test_what_follows_the_beginning_is_the_state() -> None:
    state = restored([*records(False), (BEGINS_ANEW, b"anew"), *records(False)])
    assert len(state) == 1
    assert not state.began_anew


def test_a_state_that_was_kept_has_begun() -> None:
    changelog = Changelog("changelog", new_state)
    changelog.begin([0, 1])
    changelog.complete([0, 1])
    held = changelog.states()
    held[0].begin(Database("the first", is_empty=True), {})
    changelog.begin(())
    assert changelog.begin([0, 2], held) == [2]
    assert changelog[0] is held[0]
    assert changelog[0].has_begun
    assert not changelog[2].has_begun


def test_what_another_worker_has_written_is_seen_by_the_offsets() -> None:
    changelog = Changelog("changelog", new_state)
    changelog.read_up_to(0, 5)
    assert changelog.follow([Appended(0, 5, 3), Appended(0, 8, 1), Appended(1, 70, 1)]) == []
    assert changelog.follow([Appended(1, 71, 1), Appended(0, 10, 2)]) == [0]
    assert changelog.follow([Appended(0, 12, 1)]) == []
    assert changelog.follow([Appended(0, -1, 1), Appended(0, 40, 1)]) == [], "Kafka did not say where"
    assert changelog.follow([Appended(0, 0, 1)]) == [], "created anew: that is seen otherwise"


def test_a_state_that_is_given_up_while_it_is_read_back_leaves_what_it_owes() -> None:
    changelog = Changelog("changelog", new_state)
    changelog.begin([0])
    for key, value in records(False):
        changelog.restore(0, key, value)
    changelog[0].owed = {WINDOW}  # as a clock record says of traces that are put off
    changelog.restore(0, BEGINS_ANEW, b"anew")
    changelog.complete([0])
    assert len(changelog[0]) == 0
    assert changelog[0].owed == {WINDOW}


def test_a_state_that_is_given_up_leaves_what_it_owes() -> None:
    changelog = Changelog("changelog", new_state)
    assert changelog.begin([0]) == [0]
    for key, value in records(False):
        changelog.restore(0, key, value)
    changelog.complete([0])
    changelog[0].begin(Database("the second", is_empty=True), {})
    owed = set(changelog[0].owed)
    assert owed == {WINDOW}
    changelog.begin_anew(0)
    assert len(changelog[0]) == 0
    assert changelog[0].began_anew
    assert changelog[0].owed == owed
    assert changelog[0].to_adopt([]) == owed
    changelog.begin_anew(1)  # it has been given back meanwhile
    assert list(changelog.states()) == [0]


def test_what_stays_true_is_neither_taken_out_nor_forgotten() -> None:
    """Hashes of forgotten traces, through a changelog that begins anew, and a restart after that."""
    key = TraceKey("default", b"0123456789abcdef")
    forgotten = LastForgotten()
    forgotten.add(key)
    written = forgotten.take_unsaved()
    changelog = Changelog("changelog", lambda: TracePartition(3600, HOUR, BEGAN), stays_true=is_chunk)
    changelog.begin([0])
    for name, value in [*written, (BEGINS_ANEW, b"anew")]:
        changelog.restore(0, name, value)
    changelog.complete([0])
    later = (BEGAN + 3 * HOUR) * 1_000_000
    root = [[fact(1, start_time=later)]]
    for _ in range(2):
        state = changelog[0]
        state.clock.advance(BEGAN + 3 * HOUR)
        assert state.novelty(key, root) is Novelty.OLD
        assert state.novelty(key._replace(project_id="another"), root) is Novelty.NEW
        changelog.begin_anew(0)
