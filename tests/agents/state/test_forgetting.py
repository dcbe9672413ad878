"""What is forgotten is gone from a partition's state, its changelog and its rows; and what comes late of it, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spanloom.agents.state.clock import record_version
from spanloom.agents.state.entry import ChangelogRecord
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.traces import News, TracePartition
from spanloom.spans.folding import erasure
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.erasure import Erased, erased_up_to
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.rows import TraceRow
from spanloom.spans.folding.trace.fold import fold
from tests.agents.kept_facts import kept_facts
from tests.spans.examples import KEY, START, fact

HOUR = 3_600_000
NOW = START // 1_000_000
OTHER = TraceKey("default", b"other".ljust(16))


def said(span_id: int, at: int) -> Fact:
    """A span of a session whose record came `at` ms after NOW."""
    return fact(
        span_id,
        input_preview="the word that must go",
        session_id="s",
        session_key=1,
        version=record_version(NOW + at, span_id),
    )


class Kept:
    """A state, and what its changelog holds."""

    def __init__(self) -> None:
        self.changelog: list[ChangelogRecord] = []
        self.state = self._new()

    def send(self, at: int, some: dict[TraceKey, Sequence[Fact]]) -> TraceChanges:
        return self._apply(at, list(some.items()), facts_codec.encode_traces(some))

    def forget(self, at: int, up_to: int, *keys: TraceKey) -> TraceChanges:
        version = erased_up_to(NOW + up_to)
        [message] = erasure.encode(keys, version)
        return self._apply(at, [(key, Erased(version)) for key in keys], message)

    def restart(self) -> None:
        self.state = self._new()
        for key, value in self.changelog:
            self.state.restore(key, value)
        self.state.restored()

    def texts(self) -> list[tuple[TraceKey, Fact]]:
        """All facts in the changelog, compacted."""
        return [
            (key, one)
            for record in dict(self.changelog).items()
            for key, facts in kept_facts(*record)
            for one in facts
        ]

    def _apply(self, at: int, items: Iterable[tuple[TraceKey, News]], message: bytes) -> TraceChanges:
        self.state.apply(items, message, NOW + at, at)
        changes = self.state.collect()
        self.changelog += changes.changelog
        return changes

    def _new(self) -> TracePartition:
        return TracePartition(3600, HOUR, NOW - 24 * HOUR)


def shown(changes: TraceChanges) -> list[TraceRow]:
    """The rows that do not take a trace away from where it may have stood."""
    return [row for row in changes.rows if row.trace is not None]


def test_rows_and_contributions_are_taken_away() -> None:
    kept = Kept()
    placed = kept.send(1, {KEY: [said(1, 1), said(2, 1)]}).rows[0].place
    changes = kept.forget(2, 2, KEY)
    [row] = changes.rows
    [contribution] = changes.contributions
    assert (row.key, row.place, row.trace) == (KEY, placed, None)
    assert (contribution.window, contribution.withdrawn) == (placed, True)
    assert {(span.span_id, span.version) for span in changes.forgotten} == {
        (number, erased_up_to(NOW + 2)) for number in (1, 2)
    }


def test_what_comes_again_is_taken_away_and_what_is_new_starts_anew() -> None:
    kept = Kept()
    kept.send(1, {KEY: [said(1, 1)]})
    kept.forget(2, 2, KEY)
    for _ in range(2):
        again = kept.send(3, {KEY: [said(1, 1), said(4, 2)]})
        assert (again.rows, [span.span_id for span in again.forgotten]) == ([], [1, 4])
        kept.restart()
    new = said(1, 3)
    [row] = shown(kept.send(4, {KEY: [new, said(4, 2)]}))
    assert row.trace == fold(KEY, [new])


def test_an_erasure_that_comes_again_changes_nothing() -> None:
    kept = Kept()
    kept.send(1, {KEY: [said(1, 1)]})
    kept.forget(2, 2, KEY)
    new = said(5, 3)
    kept.send(3, {KEY: [new]})
    kept.restart()
    changes = kept.forget(4, 2, KEY)
    # What was read back is written anew with every record that names it, and is what it was.
    assert [row.trace for row in shown(changes)] == [fold(KEY, [new])]
    assert changes.forgotten == []
    [row] = shown(kept.send(5, {KEY: [said(6, 4)]}))
    assert row.trace == fold(KEY, [new, said(6, 4)])


def test_the_changelog_holds_no_fact_of_it_and_all_of_its_neighbours() -> None:
    kept = Kept()
    kept.send(1, {KEY: [said(1, 1)], OTHER: [said(2, 1)]})
    kept.send(2, {OTHER: [said(3, 2)]})
    kept.forget(3, 3, KEY)
    assert {(key, one.span_id) for key, one in kept.texts()} == {(OTHER, 2), (OTHER, 3)}
    kept.send(4, {KEY: [said(1, 1)], OTHER: [said(4, 4)]})  # redelivered beside something new
    assert {(key, one.span_id) for key, one in kept.texts()} == {(OTHER, 2), (OTHER, 3), (OTHER, 4)}
    kept.restart()
    [row] = shown(kept.send(5, {OTHER: [said(6, 5)]}))
    assert row.trace == fold(OTHER, [said(2, 1), said(3, 2), said(4, 4), said(6, 5)])


def test_a_closed_trace_leaves_the_pieces_of_those_that_go_on() -> None:
    kept = Kept()
    kept.send(1, {KEY: [said(1, 1)], OTHER: [said(2, 1)]})
    kept.send(HOUR, {OTHER: [said(3, HOUR)]})
    kept.send(HOUR + 2, {OTHER: [said(4, HOUR + 2)]})
    assert KEY not in kept.state
    assert (KEY, said(1, 1)) in kept.texts()
    kept.forget(HOUR + 3, HOUR + 3, KEY)
    assert {key for key, _ in kept.texts()} == {OTHER}


def test_an_erasure_dated_back_is_kept_as_long_as_any_trace() -> None:
    kept = Kept()
    kept.send(1, {KEY: [said(1, 1)]})
    version = erased_up_to(NOW + 2)
    [message] = erasure.encode([KEY], version)
    kept.state.apply([(KEY, Erased(version))], message, NOW - 72 * HOUR, 2)
    kept.changelog += kept.state.collect().changelog
    kept.restart()
    assert kept.send(3, {KEY: [said(1, 1)]}).rows == []


def test_what_is_refused_for_a_time_is_refused_longer_than_the_retention() -> None:
    kept = Kept()
    kept.send(1, {KEY: [said(1, 1)]})
    kept.forget(2, 5 * HOUR, KEY)
    for hour in (2, 4):
        kept.send(hour * HOUR, {OTHER: [said(hour, hour * HOUR)]})
        kept.restart()
    assert kept.send(4 * HOUR + 1, {KEY: [said(2, 4 * HOUR)]}).rows == []
    [row] = shown(kept.send(5 * HOUR + 1, {KEY: [said(3, 5 * HOUR + 1)]}))
    assert row.trace == fold(KEY, [said(3, 5 * HOUR + 1)])


def test_nothing_of_a_forgotten_trace_is_certainly_new() -> None:
    """Its clock was fast: by its start it would still be here when the stream clock has come there."""
    kept = Kept()
    ahead = said(1, 1)._replace(start_time=(NOW + 2 * HOUR) * 1_000_000)
    kept.send(1, {KEY: [ahead]})
    kept.forget(2, 2, KEY)
    for at in (HOUR + 3, 2 * HOUR, 2 * HOUR + 1):
        kept.send(at, {OTHER: [said(at, at)]})
    kept.restart()
    assert KEY not in kept.state
    assert kept.state.novelty(KEY, [[ahead]]) is Novelty.OLD
