"""ingest: OTLP messages become span rows in ClickHouse, and facts for the traces stage. It holds no state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from spanloom.agents import metrics
from spanloom.agents.consuming.records import SourceRecord, dated, wall_clock
from spanloom.agents.stages.checkpoint import Writes
from spanloom.agents.stages.dead_letters import dead_letter
from spanloom.agents.stages.unpriced import UnpricedSpans
from spanloom.agents.state.clock import record_version, version_above
from spanloom.kafka.producer import Record
from spanloom.kafka.topics import DEAD_LETTERS, PROJECT_HEADER, REPLAY_HEADER, SPAN_FACTS
from spanloom.spans.conventions.vocabulary import BUILT_IN, Vocabulary
from spanloom.spans.each_text_once import each_text_once
from spanloom.spans.folding import facts
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode

SPANS_TABLE = "spans_versions"
SPANS_ORDER = ("project_id", "trace_id", "span_id")


class Ingest:
    """The work of the first stage.

    Args:
        partitions: partitions of the topic of span facts.
        limits: how much of a span is kept.
        prices: what tokens cost.
        vocabulary: what the names of attributes mean.
        now: the wall clock, ms since the epoch.
    """

    def __init__(
        self,
        partitions: int,
        limits: Limits,
        prices: Prices,
        vocabulary: Vocabulary = BUILT_IN,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        self._partitions = partitions
        self._limits = limits
        self._prices = prices
        self._vocabulary = vocabulary
        self._now = now
        self._unpriced = UnpricedSpans(metrics.UNPRICED_SPANS, prices)

    async def __call__(self, records: list[SourceRecord]) -> Writes:
        """Decode, price, and send on."""
        # In a thread: decoding takes long enough for probes and heartbeats to notice.
        return await asyncio.to_thread(self.prepare, records)

    def prepare(self, records: list[SourceRecord]) -> Writes:
        messages = [
            OtlpMessage(
                record.value,
                (record.headers.get(PROJECT_HEADER) or b"").decode(errors="replace"),
                record.timestamp,
                REPLAY_HEADER in record.headers,
            )
            for record in records
        ]
        decoded = decode(messages, limits=self._limits, prices=self._prices, vocabulary=self._vocabulary)
        versions = np.array(
            [record_version(record.timestamp, record.offset) for record in records], np.uint64
        )
        of_rows = versions[decoded.message]
        for row, replaced in decoded.replaces.items():
            # Just above the row that was read: what has come since stays above it.
            of_rows[row] = version_above(0, replaced)
        table = decoded.table.append_column(pa.field("version", pa.uint64(), False), pa.array(of_rows))
        letters = []
        for reject in decoded.rejects:
            record = records[reject.message]
            letters.append(
                dead_letter(
                    reject.payload,
                    reject.reason,
                    record.topic,
                    record.partition,
                    record.offset,
                    project=record.headers.get(PROJECT_HEADER),
                )
            )
        metrics.SPANS.inc(table.num_rows)
        names_project = np.array([message.project_id != "" for message in messages], np.bool_)[
            decoded.message
        ]
        if decoded.replaces:  # those were counted when they came
            is_new = np.ones(len(names_project), np.bool_)
            is_new[list(decoded.replaces)] = False
            self._unpriced.count(table.filter(pa.array(is_new)), names_project[is_new])
        else:
            self._unpriced.count(table, names_project)
        metrics.DEAD_LETTERS.labels("ingest").inc(len(letters))
        timestamp = dated(max(record.timestamp for record in records), self._now())
        sent_on = [
            Record(partition, None, value, timestamp=timestamp)
            for partition, value in facts.encode_table(table, self._partitions)
        ]
        return Writes(
            rows=[(SPANS_TABLE, stored_rows(table))], messages={SPAN_FACTS: sent_on, DEAD_LETTERS: letters}
        )


def stored_rows(table: pa.Table) -> pa.Table:
    """Return the rows of SPANS_TABLE for a span table with versions, in its order: then ClickHouse need not move them,
    texts and all."""
    return each_text_once(table).sort_by([(name, "ascending") for name in SPANS_ORDER])
