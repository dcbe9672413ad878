"""sessions: contributions become session windows. Holds the contributions to each open window; its sums follow."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError

from spanloom.agents import metrics
from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.dead_letters import dead_letter
from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.sessions import SessionPartition
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import DEAD_LETTERS, SESSIONS_CHANGELOG
from spanloom.spans.folding import contribution as contributions
from spanloom.spans.folding.contribution import Contribution
from spanloom.spans.folding.rows import WindowRow, window_table

WINDOWS_TABLE = "session_windows_versions"

_Applied = tuple[SourceRecord, list[Contribution]]


class Sessions:
    """The work of the third stage.

    Args:
        state: returns the state of a partition.
        rebuild: reads lost state back from ClickHouse.
    """

    def __init__(self, state: Callable[[int], SessionPartition], rebuild: Rebuild) -> None:
        self._state = state
        self._rebuild = rebuild

    async def __call__(self, records: list[SourceRecord]) -> Writes:
        """Add the contributions to their windows and sum up those that have changed."""
        writes = Writes()
        batch = self._read(records, writes)
        await self._find_again(batch)
        for record, changed in batch:
            state = self._state(record.partition)
            for contribution in changed:
                state.apply(contribution, record.timestamp, record.offset)
        rows: list[WindowRow] = []
        for partition in {record.partition for record in records}:
            changes = self._state(partition).collect()
            rows += changes.rows
            saved = [
                Record(partition, key, value, alone=key == CLOCK_RECORD) for key, value in changes.changelog
            ]
            writes.state.setdefault(SESSIONS_CHANGELOG, []).extend(saved)
        writes.rows.append((WINDOWS_TABLE, window_table(rows)))
        return writes

    def _read(self, records: list[SourceRecord], writes: Writes) -> list[_Applied]:
        batch: list[_Applied] = []
        for record in records:
            self._state(record.partition).clock.advance(record.timestamp)
            try:
                batch.append((record, list(contributions.decode(record.value))))
            except (DecodeError, ValueError):
                letter = dead_letter(
                    record.value,
                    "not a message of trace facts",
                    record.topic,
                    record.partition,
                    record.offset,
                )
                writes.messages.setdefault(DEAD_LETTERS, []).append(letter)
                metrics.DEAD_LETTERS.labels("sessions").inc()
        return batch

    async def _find_again(self, batch: list[_Applied]) -> None:
        """Look up, in one query, the windows that are not here but may have been before."""
        unsure = {
            key: partition
            for partition in {record.partition for record, _ in batch}
            for key in self._state(partition).unsure
        }
        unknown = dict(unsure)
        for record, changed in batch:
            state = self._state(record.partition)
            for contribution in changed:
                if contribution.window not in state and not state.is_new(contribution.window):
                    unknown[contribution.window] = record.partition
        if not unknown:
            return
        metrics.LOOKUPS.labels("sessions").inc(len(unknown))
        for stored in await self._rebuild.windows(list(unknown)):
            self._state(unknown[stored.key]).adopt(stored.key, stored.contributions, stored.version)
        for key, partition in unsure.items():
            self._state(partition).unsure.discard(key)
