"""A trace that was forgotten is remembered as such: by itself, after a restart, and among a million others."""

from __future__ import annotations

import pytest

from spanloom.agents.state.entry import ChangelogRecord
from spanloom.agents.state.trace import last_forgotten
from spanloom.agents.state.trace.last_forgotten import LastForgotten, is_chunk
from spanloom.agents.state.trace.pieces import piece_key
from spanloom.spans.folding.facts import TraceKey

KEYS = [TraceKey("p", number.to_bytes(16, "big")) for number in range(2000)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 4, generations of 32, filters that fit: at most 128 traces are remembered."""
    monkeypatch.setattr(last_forgotten, "_CHUNK", 4)
    monkeypatch.setattr(last_forgotten, "_CHUNKS", 8)
    monkeypatch.setattr(last_forgotten, "_FILTER", 14)


def forget(state: LastForgotten, keys: list[TraceKey], log: dict[bytes, bytes | None], every: int) -> None:
    """Write to a compacted log after every so many."""
    for first in range(0, len(keys), every):
        for key in keys[first : first + every]:
            state.add(key)
        log.update(state.take_unsaved())


def restored(log: dict[bytes, bytes | None]) -> LastForgotten:
    state = LastForgotten()
    for key, value in log.items():
        assert is_chunk(key)
        state.restore(key, value)
    state.restored()
    return state


def known(state: LastForgotten, keys: list[TraceKey]) -> list[bool]:
    return [key in state for key in keys]


def test_nothing_is_known_at_first() -> None:
    assert not any(known(LastForgotten(), KEYS))
    assert LastForgotten().take_unsaved() == []
    assert not any(known(restored({}), KEYS))


@pytest.mark.parametrize("count", [1, 127, 128, 129, 1000])
def test_what_was_forgotten_is_known_and_little_else(count: int) -> None:
    log: dict[bytes, bytes | None] = {}
    state = LastForgotten()
    forget(state, KEYS[:count], log, every=50)
    for some in (state, restored(log)):
        assert all(known(some, KEYS[:count]))
        assert not any(known(some, KEYS[1000:]))
        assert not any(known(some, [TraceKey("another", key.trace_id) for key in KEYS[:count]]))
    assert state.take_unsaved() == []


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("every", [1, 3, 4, 7, 32, 500])
@pytest.mark.parametrize("count", [31, 32, 33, 128, 129, 1000])
def test_of_too_many_the_first_are_not_known_any_more(count: int, every: int) -> None:
    log: dict[bytes, bytes | None] = {}
    state = LastForgotten()
    forget(state, KEYS[:count], log, every)
    assert len(log) <= 32
    for some in (state, restored(log)):
        assert all(known(some, KEYS[max(0, count - 96) : count]))
        assert sum(known(some, KEYS[: max(0, count - 128)])) <= count // 20
        assert known(some, KEYS) == known(state, KEYS)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("before", [2, 4, 32, 130])
def test_it_goes_on_after_a_restart(before: int) -> None:
    log: dict[bytes, bytes | None] = {}
    forget(LastForgotten(), KEYS[:before], log, every=3)
    state = restored(log)
    forget(state, KEYS[before : before + 50], log, every=3)
    for some in (state, restored(log)):
        assert all(known(some, KEYS[max(0, before + 50 - 96) : before + 50]))


def test_what_another_worker_writes_late_takes_nothing_away() -> None:
    state = LastForgotten()
    state.add(KEYS[0])
    late = dict(state.take_unsaved())
    state.add(KEYS[1])
    again = LastForgotten()
    for key, value in (*state.take_unsaved(), *late.items()):
        again.restore(key, value)
    again.restored()
    assert known(again, KEYS[:3]) == [True, True, False]


def test_of_two_workers_all_counts() -> None:
    ours, theirs = LastForgotten(), LastForgotten()
    ours.add(KEYS[0])
    theirs.add(KEYS[1])
    theirs.add(KEYS[2])
    again = LastForgotten()
    for state in (ours, theirs):
        for key, value in state.take_unsaved():
            again.restore(key, value)
    again.restored()
    assert known(again, KEYS[:4]) == [True, True, True, False]


def test_few_others_look_like_one() -> None:
    state = LastForgotten()
    for number in range(150_000):
        state.add(TraceKey("p", number.to_bytes(16, "big")))
    others = (TraceKey("q", number.to_bytes(16, "big")) for number in range(20_000))
    assert sum(other in state for other in others) < 10


def test_a_chunk_is_no_piece() -> None:
    assert not is_chunk(b"clock")
    assert not is_chunk(piece_key(1_800_000_000_000, 2**40))
    state = LastForgotten()
    state.add(KEYS[0])
    records: list[ChangelogRecord] = state.take_unsaved()
    assert [is_chunk(key) for key, _ in records] == [True]
