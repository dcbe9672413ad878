"""Forgetting from its beginning to its end.

In this order:

1. What an earlier run has left undone is sent to the workers once more.
2. The traces of the selection are listed, noted in ClickHouse and sent to the workers as erasures, portion by portion.
   They take the rows away and withdraw the traces from their sessions; it waits until they have.
3. Once the workers have read all that was sent before the command began, 2 once more for what that brought.
4. What is hidden by then is deleted from ClickHouse's disks, and the notes of the portions.

It may be broken off anywhere and run again.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

from spanloom.forgetting import portion as portions
from spanloom.forgetting.audit import Entry, note
from spanloom.forgetting.erase import Erasures
from spanloom.forgetting.portion import Portion
from spanloom.forgetting.purge import purge
from spanloom.forgetting.selection import Counts, Found, Selection, count, first, newest_versions
from spanloom.kafka.progress import Ends, Progress
from spanloom.kafka.settings import KafkaSettings
from spanloom.kafka.topics import SPAN_FACTS, TRACE_FACTS, check
from spanloom.spans.folding.erasure import erased_up_to, time_of
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.settings import ClickHouseSettings

_TRACES_A_PORTION = 50_000
_SPANS_A_PORTION = 500_000


_LONGEST_STATEMENT = 3600
"""Seconds that listing and deleting may take."""


def patient(clickhouse: ClickHouseSettings) -> ClickHouseSettings:
    """Return how to reach ClickHouse for forgetting: its statements may take long."""
    return clickhouse.model_copy(update={"read_timeout": max(clickhouse.read_timeout, _LONGEST_STATEMENT)})


class Step(NamedTuple):
    """What forgetting does at the moment; `left` are records that the workers have still to read."""

    doing: str
    traces: int
    left: int = 0


def whoami() -> str:
    """Return who runs this process, and where; in a container the user may have a number only."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()}"


class Forgetting:
    """Forgets what is selected.

    Args:
        kafka: where Kafka is.
        warehouse: ClickHouse, with the right to delete.
        who: for the audit.
        show: called with each step.
        patience: seconds without any progress of the workers after which waiting ends.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        warehouse: Warehouse,
        *,
        who: str,
        show: Callable[[Step], None],
        patience: float = 600,
    ) -> None:
        self._kafka = kafka
        self._warehouse = warehouse
        self._who = who
        self._show = show
        self._patience = patience
        self._traces = self._spans = 0

    async def run(self, selection: Selection, refuse: int = 0, erasure_id: str = "") -> Counts:
        """Forget what is selected; returns how much it was when that began.

        Args:
            refuse: for how many seconds spans of the forgotten traces are refused that are sent from now on.
            erasure_id: its name in the audit; without one it gets one.

        Raises:
            TopicError, KafkaError, WorkersStandStill, Unavailable, WarehouseError: not all is forgotten; the next run
                goes on.
        """
        await check(self._kafka)
        async with Progress(self._kafka) as progress:
            erasures = Erasures(self._kafka, progress, self._patience)
            sent_before = await progress.ends(self._kafka.source_topic)
            self._traces = self._spans = 0
            hidden: list[Portion] = []
            for name in await portions.unfinished(self._warehouse):
                await self._erase(await portions.read(self._warehouse, name), erasures, hidden)
            counts = await count(self._warehouse, selection)
            entry = Entry(erasure_id or uuid.uuid4().hex, self._who, selection)
            await note(self._warehouse, entry, "begun", counts.traces, counts.spans)
            seen: set[bytes] = set()
            await self._forget(selection, refuse, erasures, seen, hidden)
            await self._read_up_to(sent_before, progress, erasures)
            await self._forget(selection, refuse, erasures, seen, hidden)
            for portion in hidden:
                self._show(Step("deleting", self._traces))
                await purge(self._warehouse, portion)
            await note(self._warehouse, entry, "done", self._traces, self._spans)
        return Counts(self._traces, self._spans, counts.sessions)

    async def _forget(
        self,
        selection: Selection,
        refuse: int,
        erasures: Erasures,
        seen: set[bytes],
        hidden: list[Portion],
    ) -> None:
        """Forget what is selected now, but for traces that were `seen` before: more has come of them since."""
        seen_again = 0
        while True:
            most = _TRACES_A_PORTION + seen_again
            listed = await first(self._warehouse, selection, most)
            unseen = [found for found in listed if found.key.trace_id not in seen]
            seen_again = len(listed) - len(unseen)
            if not unseen:
                if len(listed) < most:
                    return
                continue
            new = _up_to(_SPANS_A_PORTION, unseen)
            seen.update(found.key.trace_id for found in new)
            newest = await newest_versions(self._warehouse, [found.key for found in new])
            for until, some in _by_end(new, newest, round((time.time() + refuse) * 1000)):
                portion = await portions.begin(self._warehouse, some, erased_up_to(until))
                await self._erase(portion, erasures, hidden)
                self._traces += len(some)
                self._spans += sum(found.spans for found in some)

    async def _erase(self, portion: Portion, erasures: Erasures, hidden: list[Portion]) -> None:
        done = self._traces
        await erasures.erase(portion, lambda left: self._show(Step("forgetting", done, left)))
        hidden.append(portion._replace(traces=()))

    async def _read_up_to(self, ends: Ends, progress: Progress, erasures: Erasures) -> None:
        """Wait until all that was sent before has come through all stages."""

        def behind(left: int) -> None:
            self._show(Step("waiting for what was sent before", self._traces, left))

        await erasures.wait_for(self._kafka.source_topic, ends, behind)
        for topic in (SPAN_FACTS, TRACE_FACTS):
            await erasures.wait_for(topic, await progress.ends(topic), behind)


def _by_end(traces: list[Found], newest: dict[bytes, int], now: int) -> Iterator[tuple[int, list[Found]]]:
    """Return until when (ms) traces are forgotten: until now, but those whose records are dated ahead until then. What
    is sent of the others meanwhile starts anew."""
    dated = [(time_of(newest.get(found.key.trace_id, 0)), found) for found in traces]
    if some := [found for time, found in dated if time <= now]:
        yield now, some
    if ahead := [found for time, found in dated if time > now]:
        yield max(time for time, _ in dated), ahead


def _up_to(spans: int, traces: list[Found]) -> list[Found]:
    """Return the first traces, up to so many spans and at least one trace."""
    some: list[Found] = []
    for found in traces[:_TRACES_A_PORTION]:
        spans -= found.spans
        if some and spans < 0:
            break
        some.append(found)
    return some
