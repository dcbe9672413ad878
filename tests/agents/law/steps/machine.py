"""The worker as a machine that hypothesis drives: what may be done to it, and what holds after each of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.checkpoint import Writes
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import SPAN_FACTS
from spanloom.spans.folding import erasure
from spanloom.spans.folding.facts import decode, partition_of
from tests.agents.law.cases import AHEAD, BEHIND, HOUR, MINUTE, SLOW, START, Case, Message, SpanOf
from tests.agents.law.judge import differences, folded, spans_are_gone, texts_are_gone, wait
from tests.agents.law.memory_warehouse import TRACES, Key, Row
from tests.agents.law.simulation import (
    ANYWHERE,
    CHANGELOGS,
    EVERY_BATCH,
    SOURCE,
    STAGES,
    TOPICS,
    Forget,
    Simulation,
    Step,
)
from tests.agents.law.steps.disasters import LoseChangelogs, OtherDatabase, copied

TRACE_NUMBERS = st.integers(1, 3)
SPAN_NUMBERS = st.integers(1, 4)
SPANS = st.builds(
    SpanOf,
    parent=st.sampled_from([0, 1, 1, 3, 9]),
    start=st.sampled_from([0, 0, 2 * MINUTE, *AHEAD, -HOUR]),
    session=st.sampled_from(["", "s", "s", "t"]),
    key=st.sampled_from(["session__id", "gen_ai__conversation__id"]),
    calls=st.booleans(),
)
CLOCKS = st.sampled_from([0] * 6 + [-BEHIND, -MINUTE])
"""How far the clock of whoever sends is off, ms."""


class Zombie:
    """What a worker that has lost its partitions still writes."""

    def __init__(self, writes: Writes) -> None:
        self.rows = writes.rows


class Worker(RuleBasedStateMachine):
    """Everything that may happen to one worker, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START + 3 * MINUTE
        self.said: dict[tuple[int, int], SpanOf] = {}
        self.zombies: list[Zombie] = []
        self.copy: Mapping[str, Mapping[Key, Row]] | None = None
        self.versions: dict[tuple[str, Key], int] = {}
        self.had_zombies = False
        self.database_lost = False
        self.puts_off = False
        self.messages: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}

    @initialize(
        served=st.booleans(),
        began=st.sampled_from([START - 24 * HOUR, START + HOUR]),
        puts_off=st.booleans(),
    )
    def start(self, served: bool, began: int, puts_off: bool) -> None:
        """A worker starts."""
        began = START - 24 * HOUR if served else began
        self.puts_off = puts_off
        self.simulation = Simulation(began, served=served, pace=SLOW if puts_off else EVERY_BATCH)

    # What comes in.

    @rule(
        trace=TRACE_NUMBERS,
        numbers=st.lists(SPAN_NUMBERS, min_size=1, max_size=3, unique=True),
        spans=st.lists(SPANS, min_size=3, max_size=3),
        off=CLOCKS,
        partition=st.integers(0, 1),
    )
    def spans_come(
        self, trace: int, numbers: list[int], spans: list[SpanOf], off: int, partition: int
    ) -> None:
        """Spans of a trace come: new ones, and some again; a root (a span without a parent) at any time."""
        for number, one in zip(numbers, spans, strict=False):
            late = self.now - START - 3 * MINUTE
            self.said.setdefault((trace, number), replace(one, start=one.start + late + number))
        which = tuple((trace, number) for number in numbers)
        one_message = Case(0, True, 1, self.said, (Message(which, 0, 0),), ())
        self.now += 1
        self.simulation.produce(one_message.payload(0), self.now + off, partition)
        self.messages[partition, self.simulation.log.all((SOURCE, partition))[-1].offset] = which

    @rule(by=st.sampled_from([MINUTE, HOUR + 1, 3 * HOUR]))
    def time_passes(self, by: int) -> None:
        """Nothing comes for a while: with what comes next, what is open may be forgotten."""
        self.now += by

    # What the worker does, and what interrupts it.

    @rule(stage=st.sampled_from(STAGES), size=st.sampled_from([1, 2, 5, 0]))
    def works(self, stage: str, size: int) -> None:
        """A stage takes a batch."""
        self.step(Step(stage, size))

    @rule()
    def catches_up(self) -> None:
        """All stages take all there is."""
        for stage in STAGES:
            self.step(Step(stage, 100))

    @rule(
        stage=st.sampled_from(STAGES),
        size=st.sampled_from([1, 1, 2, 5, 0]),
        after=st.integers(0, 7),
        compact=st.booleans(),
    )
    def is_killed(self, stage: str, size: int, after: int, compact: bool) -> None:
        """A worker is killed in a batch, unless the batch ends before it comes to that."""
        self.step(Step(stage, size, crash=(ANYWHERE, after), compact=compact))

    @rule(stage=st.sampled_from(STAGES), size=st.sampled_from([1, 2, 5]))
    def partitions_are_revoked(self, stage: str, size: int) -> None:
        """The partitions are given away during a batch."""
        self.step(Step(stage, size, lost=True))

    @rule()
    def compacts(self) -> None:
        """Kafka compacts the changelogs."""
        for changelog in CHANGELOGS:
            self.simulation.log.compact(changelog)

    # What is lost, and what comes back.

    @rule(trace=TRACE_NUMBERS, hours=st.sampled_from([0, 0, 2]))
    def is_forgotten(self, trace: int, hours: int) -> None:
        """Somebody has a trace forgotten, up to now or for some hours to come."""
        self.simulation.forget(Forget(trace, self.now + hours * HOUR))

    @rule(topics=st.sampled_from([CHANGELOGS, CHANGELOGS[:1], CHANGELOGS[1:]]))
    @precondition(lambda self: not self.puts_off)
    def changelogs_are_lost(self, topics: tuple[str, ...]) -> None:
        """A changelog is deleted and made anew; with it goes what rows are owed."""
        wait(LoseChangelogs(topics).happen(self.simulation))

    @rule()
    def database_is_copied(self) -> None:
        """Somebody makes a backup."""
        self.copy = copied(self.simulation.warehouse)

    @rule(restored=st.booleans())
    def database_is_lost(self, restored: bool) -> None:
        """The database is gone; an empty one or the last copy is there instead, and Kafka's spans are read again."""
        wait(OtherDatabase(self.copy if restored else None).happen(self.simulation))
        self.versions.clear()
        self.database_lost = True

    @rule(stage=st.sampled_from(["traces", "sessions"]), size=st.sampled_from([1, 2]))
    def loses_partitions_without_notice(self, stage: str, size: int) -> None:
        """A worker takes a batch that belongs to another one by now; its rows come at any later time."""
        simulation = self.simulation
        topic = TOPICS[stage]
        records = [one for each in simulation.log.partitions(topic) for one in simulation.log.due(each, size)]
        if records:
            wait(self._go_on_as_zombie(stage, records))
            simulation.restart()

    async def _go_on_as_zombie(self, stage: str, records: list[SourceRecord]) -> None:
        work = self.simulation._work[stage]
        if (writes := await work.settle()) is not None:
            self.zombies.append(Zombie(writes))
        self.zombies.append(Zombie(await work(records)))
        self.had_zombies = True

    @rule()
    @precondition(lambda self: self.zombies)
    def zombie_writes(self) -> None:
        """What a worker left of a batch comes to ClickHouse at last."""
        zombie = self.zombies.pop(0)
        for table, rows in zombie.rows:
            wait(self.simulation._insert(table, rows))

    # What holds.

    @invariant()
    def shown_rows_never_go_back(self) -> None:
        """The version of a row that is shown grows, and names one content."""
        for table, rows in self.simulation.warehouse.tables.items():
            for key, row in rows.items():
                assert row["version"] >= self.versions.get((table, key), 0), (table, key)
                self.versions[table, key] = row["version"]
        assert self.had_zombies or not self.simulation.warehouse.ambiguous

    @invariant()
    def what_is_acknowledged_is_safe(self) -> None:
        """Spans that ingest has acknowledged are in the topic of the traces stage, and what that has acknowledged is
        told by the row of its trace."""
        committed = self.simulation.log.committed
        acknowledged: dict[int, set[int]] = {}
        sent: dict[int, set[int]] = {}
        for partition in self.simulation.log.partitions(SPAN_FACTS):
            for one in self.simulation.log.all(partition):
                for trace, some in _numbers(one.value or b"").items():
                    sent.setdefault(trace, set()).update(some)
                    if one.offset < committed.get(partition, 0):
                        acknowledged.setdefault(trace, set()).update(some)
        for (source, offset), which in self.messages.items():
            if offset < committed.get((SOURCE, source), 0):
                for trace, number in which:
                    assert number in sent.get(trace, ()), f"span {number} of trace {trace} was not sent on"
        if self.puts_off or self.database_lost:
            return
        told = {
            int(row["trace_id"], 16): row["span_count"]
            for row in self.simulation.warehouse.live(TRACES).values()
        }
        forgotten = {int.from_bytes(key.trace_id) for key in self.simulation.forgotten}
        for trace, numbers in acknowledged.items():
            if trace not in forgotten:
                assert told.get(trace, 0) >= len(numbers), f"the row of trace {trace} lacks spans"

    @invariant()
    def when_all_is_done_all_is_exact(self) -> None:
        """Where nothing is unread and nothing owed, the rows are those of all spans folded once."""
        simulation = self.simulation
        if simulation.log.lag(TOPICS.values()) or simulation.owes() or self.zombies:
            return
        if self.database_lost and simulation.forgotten:
            return  # an older database does not know of it
        self.judge()

    def judge(self) -> None:
        """Compare with the fold of everything."""
        simulation = self.simulation
        faults = differences(simulation, folded(_source(simulation), simulation.forgotten))
        if self.had_zombies:  # one may put out less under a version that is given again
            faults = [one for one in faults if "was given twice" not in one]
        assert not faults
        assert spans_are_gone(simulation)

    def teardown(self) -> None:
        """All is done in the end."""
        simulation = getattr(self, "simulation", None)
        if simulation is None:
            return
        wait(simulation.run([]))
        while self.zombies:
            self.zombie_writes()
        # A database that was lost does not know what was forgotten: that is forgotten once more.
        for key, version in simulation.forgotten.items():
            for value in erasure.encode([key], version):
                partition = partition_of(key, simulation.partitions)
                simulation.log.append(SPAN_FACTS, Record(partition, None, value, timestamp=0), 0)
        wait(simulation.run([]))
        self.judge()
        assert texts_are_gone(simulation)

    def step(self, step: Step) -> None:
        """Take a step."""
        wait(self.simulation.step(step))


def _source(simulation: Simulation) -> list[SourceRecord]:
    """Return all records of the source topic."""
    return [
        SourceRecord(*partition, one.offset, one.timestamp, one.value or b"", one.headers)
        for partition in simulation.log.partitions(SOURCE)
        for one in simulation.log.all(partition)
    ]


@lru_cache(10_000)
def _numbers(value: bytes) -> Mapping[int, frozenset[int]]:
    """Return the span IDs in a message of facts, by trace."""
    if erasure.is_erasure(value):
        return {}
    return {
        int.from_bytes(key.trace_id): frozenset(fact.span_id for fact in facts)
        for key, facts in decode(value)
    }
