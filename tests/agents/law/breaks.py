"""Deliberate breaks of the worker, each a way in which such a program is often wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest

from spanloom.agents.stages.checkpoint import PartitionsLost, Writes
from spanloom.agents.stages.keyed import KeyedStage
from spanloom.agents.state import keyed, rebuild, sessions, traces
from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock
from spanloom.agents.state.entry import Open
from spanloom.agents.state.keyed import KeyedState
from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.trace.forgotten import Forgotten
from spanloom.agents.state.trace.last_forgotten import LastForgotten
from spanloom.agents.state.trace.open_trace import OpenTrace
from spanloom.agents.state.trace.pieces import Pieces
from spanloom.spans.conventions.key_order import Identity
from spanloom.spans.folding.facts import TraceKey
from spanloom.warehouse.lookup import FORGOTTEN_UP_TO
from tests.agents.law import simulation

Patch = Callable[[pytest.MonkeyPatch], None]


def no_look_up(patch: pytest.MonkeyPatch) -> None:
    """What is not in memory is taken for new."""

    async def find_nothing(*_: Any) -> None:
        return None

    patch.setattr(KeyedStage, "_adopt_lost", find_nothing)


def version_not_raised(patch: pytest.MonkeyPatch) -> None:
    """Rows that change keep the version they had."""

    def keep(_: Any, entry: Open, version: int) -> None:
        entry.version = entry.version or version

    patch.setattr(KeyedState, "_raise", keep)


def acknowledged_before_the_changelog(patch: pytest.MonkeyPatch) -> None:
    """The source is acknowledged before the state is safe."""

    async def checkpoint(
        writes: Writes, *, rows: Any, records: Any, acknowledge: Any, still_ours: Callable[[], bool]
    ) -> None:
        for table, some in writes.rows:
            if some.num_rows:
                await rows(table, some)
        if not still_ours():
            raise PartitionsLost
        for topic, some in writes.messages.items():
            await records(topic, some)
        await acknowledge(writes.offsets)
        for topic, some in writes.state.items():
            await records(topic, some)

    patch.setattr(simulation, "checkpoint", checkpoint)


def no_withdrawal(patch: pytest.MonkeyPatch) -> None:
    """A trace that moves stays where it was, too."""
    real = TraceChanges.add

    def add(self: TraceChanges, key: TraceKey, trace: OpenTrace, identity: Identity) -> None:
        trace.held.left.clear()
        real(self, key, trace, identity)

    patch.setattr(TraceChanges, "add", add)


def clock_after_the_tombstones(patch: pytest.MonkeyPatch) -> None:
    """What is forgotten is deleted before the changelog says how late it is."""
    real = KeyedState.collect

    def collect(self: Any) -> Any:
        changes = real(self)
        clock = changes.changelog[-1]
        changes.changelog = [*(record for record in changes.changelog if record[0] != CLOCK_RECORD), clock]
        return changes

    patch.setattr(KeyedState, "collect", collect)


def forgotten_comes_back(patch: pytest.MonkeyPatch) -> None:
    """What is forgotten is gone from the state, but taken again when it is redelivered."""
    patch.setattr(Forgotten, "left_of", lambda _, __, facts: facts)


def shared_pieces_stay(patch: pytest.MonkeyPatch) -> None:
    """The changelog keeps what was forgotten as long as another trace needs the same record."""
    patch.setattr(Pieces, "_take_tainted", lambda _: set())


def erasure_not_looked_up(patch: pytest.MonkeyPatch) -> None:
    """What was forgotten is known only as long as the state knows it."""

    async def nothing(*_: Any) -> pa.Table:
        return FORGOTTEN_UP_TO.empty_table()

    patch.setattr(rebuild, "forgotten_up_to", nothing)


def adopted_under_the_version_before(patch: pytest.MonkeyPatch) -> None:
    """What is completed from ClickHouse goes out under the version that was used before."""
    for module in (keyed, traces, sessions):
        patch.setattr(module, "version_above", max)


def new_by_its_own_start(patch: pytest.MonkeyPatch) -> None:
    """What starts late enough is taken for new, whatever lay ahead of the clock when it was forgotten."""
    patch.setattr(StreamClock, "forget", lambda *_: None)
    patch.setattr(LastForgotten, "__contains__", lambda *_: False)


def nothing_is_remembered(patch: pytest.MonkeyPatch) -> None:
    """Where a changelog begins anew, what the state had is not known to be old."""
    patch.setattr(traces.TracePartition, "remember", lambda *_: None)


def a_root_always_proves(patch: pytest.MonkeyPatch) -> None:
    """A root shows that its trace is new, also right after the state was lost."""
    patch.setattr(StreamClock, "is_young", lambda *_: False)


def retention_as_it_is_today(patch: pytest.MonkeyPatch) -> None:
    """What was forgotten by a shorter retention passes for remembered."""
    real = StreamClock.forget_the_past

    def forget(self: StreamClock, retention: int) -> None:
        before = self.forgotten_up_to
        real(self, retention)
        self.forgotten_up_to = before

    patch.setattr(StreamClock, "forget_the_past", forget)


BREAKS: Mapping[str, Patch] = {
    patch.__name__: patch
    for patch in (
        no_look_up,
        version_not_raised,
        acknowledged_before_the_changelog,
        no_withdrawal,
        clock_after_the_tombstones,
        forgotten_comes_back,
        shared_pieces_stay,
        erasure_not_looked_up,
        adopted_under_the_version_before,
        new_by_its_own_start,
        nothing_is_remembered,
        a_root_always_proves,
        retention_as_it_is_today,
    )
}
