"""traces: facts become traces. Holds the facts of each open trace; its row and its contribution follow from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import pyarrow as pa

from spanloom.agents.consuming.records import dated, wall_clock
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.keyed import KeyedStage, Origin, Target
from spanloom.agents.state.stored import StoredTrace
from spanloom.agents.state.traces import TraceChanges, TracePartition
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import TRACE_FACTS, TRACES_CHANGELOG
from spanloom.spans.folding import contribution as contributions
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import Contribution
from spanloom.spans.folding.facts import Fact, TraceKey, partition_of
from spanloom.spans.folding.rows import trace_table


class Traces(KeyedStage[TraceKey, Sequence[Fact], StoredTrace, TraceChanges]):
    """The work of the second stage.

    Args:
        partitions: partitions of the topic of trace facts.
        states: returns the states by partition.
        look_up: reads lost state back from ClickHouse.
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
        origin: Origin,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        super().__init__(states, look_up, origin)
        self._partitions = partitions
        self._now = now

    def _decode(self, value: bytes) -> list[tuple[TraceKey, Sequence[Fact]]]:
        return list(facts_codec.decode(value))

    def _rows(self, changes: Sequence[TraceChanges]) -> pa.Table:
        return trace_table([row for some in changes for row in some.rows])

    def _send_on(self, changes: Sequence[TraceChanges], timestamp: int, writes: Writes) -> None:
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
