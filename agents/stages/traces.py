"""traces: facts become traces. Holds the facts of each open trace; its row and its contribution follow from them."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError

from spanloom.agents import metrics
from spanloom.agents.consuming.records import SourceRecord, newest
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.dead_letters import dead_letter
from spanloom.agents.state.clock import CLOCK_RECORD
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.traces import Novelty, TracePartition
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import DEAD_LETTERS, TRACE_FACTS, TRACES_CHANGELOG
from spanloom.spans.folding import contribution as contributions
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import Contribution
from spanloom.spans.folding.facts import Fact, TraceKey, partition_of
from spanloom.spans.folding.rows import TraceRow, trace_table

TRACES_TABLE = "traces_versions"

_Applied = tuple[SourceRecord, list[tuple[TraceKey, list[Fact]]]]


class Traces:
    """The work of the second stage.

    Args:
        partitions: partitions of the topic of trace facts.
        state: returns the state of a partition.
        rebuild: reads lost state back from ClickHouse.
    """

    def __init__(self, partitions: int, state: Callable[[int], TracePartition], rebuild: Rebuild) -> None:
        self._partitions = partitions
        self._state = state
        self._rebuild = rebuild

    async def __call__(self, records: list[SourceRecord]) -> Writes:
        """Add the facts to their traces and fold those that have changed."""
        writes = Writes()
        batch = self._read(records, writes)
        await self._find_again(batch)
        for record, traces in batch:
            state = self._state(record.partition)
            state.apply(traces, record.value, record.timestamp, record.offset)
        rows: list[TraceRow] = []
        changed: list[Contribution] = []
        for partition in {record.partition for record in records}:
            changes = self._state(partition).collect()
            rows += changes.rows
            changed += changes.contributions
            saved = [
                Record(partition, key, value, alone=key == CLOCK_RECORD) for key, value in changes.changelog
            ]
            writes.state.setdefault(TRACES_CHANGELOG, []).extend(saved)
        writes.rows.append((TRACES_TABLE, trace_table(rows)))
        writes.messages[TRACE_FACTS] = self._sent_on(changed, newest(records))
        return writes

    def _read(self, records: list[SourceRecord], writes: Writes) -> list[_Applied]:
        batch: list[_Applied] = []
        for record in records:
            self._state(record.partition).clock.advance(record.timestamp)
            try:
                batch.append((record, facts_codec.decode(record.value)))
            except (DecodeError, ValueError, IndexError):
                letter = dead_letter(
                    record.value, "not a message of span facts", record.topic, record.partition, record.offset
                )
                writes.messages.setdefault(DEAD_LETTERS, []).append(letter)
                metrics.DEAD_LETTERS.labels("traces").inc()
        return batch

    async def _find_again(self, batch: list[_Applied]) -> None:
        """Look up, all of a batch together, the traces that are not here but may have been before."""
        seen: dict[int, dict[TraceKey, list[Fact]]] = {}
        for record, traces in batch:
            state = self._state(record.partition)
            for key, facts in traces:
                if key not in state:
                    seen.setdefault(record.partition, {}).setdefault(key, []).extend(facts)
        unsure = {
            key: partition
            for partition in {record.partition for record, _ in batch}
            for key in self._state(partition).unsure
        }
        lost, perhaps = dict(unsure), {}
        for partition, traces_here in seen.items():
            for key, facts in traces_here.items():
                novelty = self._state(partition).novelty(key, facts)
                if novelty is Novelty.OLD:
                    lost[key] = partition
                elif novelty is Novelty.NEW_WITHOUT_ROW:
                    perhaps[key] = partition
        if not lost and not perhaps:
            return
        metrics.LOOKUPS.labels("traces").inc(len(lost) + len(perhaps))
        for stored in await self._rebuild.traces(list(lost), list(perhaps)):
            partition = lost[stored.key] if stored.key in lost else perhaps[stored.key]
            self._state(partition).adopt(stored.key, stored.facts, stored.places, stored.version)
        for key, partition in unsure.items():
            self._state(partition).unsure.discard(key)

    def _sent_on(self, changed: list[Contribution], timestamp: int) -> list[Record]:
        by_partition: dict[int, list[Contribution]] = {}
        for contribution in changed:
            window = contribution.window
            target = partition_of((window.project_id, window.session_id.encode()), self._partitions)
            by_partition.setdefault(target, []).append(contribution)
        return [
            Record(partition, None, message, timestamp=timestamp)
            for partition, some in by_partition.items()
            for message in contributions.encode(some)
        ]
