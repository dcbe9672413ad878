"""traces: facts become traces. Holds the facts of each open trace; its row and its contribution follow from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import pyarrow as pa

from spanloom.agents import metrics
from spanloom.agents.consuming.records import SourceRecord, dated, wall_clock
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.ingest import SPANS_TABLE
from spanloom.agents.stages.keyed import KeyedStage, Origin, Target
from spanloom.agents.state.stored import StoredTrace
from spanloom.agents.state.trace.changes import TraceChanges
from spanloom.agents.state.traces import News, TracePartition
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import TRACE_FACTS, TRACES_CHANGELOG
from spanloom.spans.folding import contribution as contributions
from spanloom.spans.folding import erasure
from spanloom.spans.folding.contribution import Contribution
from spanloom.spans.folding.erasure import Erased, forgotten_table
from spanloom.spans.folding.facts import TraceKey, partition_of
from spanloom.spans.folding.rows import trace_table


class Traces(KeyedStage[TraceKey, News, StoredTrace, TraceChanges]):
    """The work of the second stage.

    Args:
        partitions: partitions of the topic of trace facts.
        states: returns the states by partition.
        look_up: reads lost state back from ClickHouse.
        look_up_to_forget: reads where traces stand and which spans they have, without their facts.
        origin: what ClickHouse is asked when a state begins.
        now: the wall clock, ms since the epoch.
    """

    name = "traces"
    target = Target("traces_versions", TRACES_CHANGELOG)
    holds = "span facts"

    def __init__(
        self,
        partitions: int,
        states: Callable[[], Mapping[int, TracePartition]],
        look_up: Callable[[Sequence[TraceKey], Sequence[TraceKey]], Awaitable[list[StoredTrace]]],
        look_up_to_forget: Callable[[Sequence[TraceKey]], Awaitable[list[StoredTrace]]],
        origin: Origin,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        super().__init__(states, look_up, origin)
        self._trace_states = states
        self._partitions = partitions
        self._look_up_to_forget = look_up_to_forget
        self._now = now

    async def _adopt_lost(
        self, batch: list[tuple[SourceRecord, list[tuple[TraceKey, News]]]], partitions: Sequence[int]
    ) -> None:
        await super()._adopt_lost(batch, partitions)
        await self._adopt_to_forget(batch)

    async def _adopt_to_forget(self, batch: list[tuple[SourceRecord, list[tuple[TraceKey, News]]]]) -> None:
        """Adopt what the batch's erasures need of traces that are not here."""
        found: dict[TraceKey, tuple[int, int]] = {}
        for record, items in batch:
            state = self._trace_states()[record.partition]
            for key, value in items:
                if isinstance(value, Erased) and key not in state:
                    found[key] = record.partition, value.version
        if not found:
            return
        metrics.LOOKUPS.labels(self.name).inc(len(found))
        rest = []
        for stored in await self._look_up_to_forget(list(found)):
            partition, version = found[stored.key]
            if stored.forgotten > version or any(fact.version > version for fact in stored.facts):
                rest.append(stored.key)  # not all of it is forgotten, or more than this says
            else:
                self._trace_states()[partition].adopt_to_forget(stored)
        for stored in await self._look_up(rest, []) if rest else ():
            self._state(found[stored.key][0]).adopt(stored)

    def _decode(self, value: bytes) -> list[tuple[TraceKey, News]]:
        return list(erasure.decode_either(value))

    def _rows(self, changes: Sequence[TraceChanges]) -> pa.Table:
        return trace_table([row for some in changes for row in some.rows])

    def _send_on(self, changes: Sequence[TraceChanges], timestamp: int, writes: Writes) -> None:
        forgotten = [span for some in changes for span in some.forgotten]
        if forgotten:
            writes.rows.append((SPANS_TABLE, forgotten_table(forgotten)))
        by_partition: dict[int, list[Contribution]] = {}
        for contribution in (one for some in changes for one in some.contributions):
            window = contribution.window
            target = partition_of((window.project_id, window.session_id.encode()), self._partitions)
            by_partition.setdefault(target, []).append(contribution)
        sent_at = dated(timestamp, self._now())
        writes.messages[TRACE_FACTS] = [
            Record(partition, None, message, timestamp=sent_at)
            for partition, some in by_partition.items()
            for message in contributions.encode(some)
        ]
