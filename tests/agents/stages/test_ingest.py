"""What ingest makes of records: live ones, and those of a replay."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from spanloom.agents import metrics
from spanloom.agents.consuming.records import SourceRecord
from spanloom.agents.stages.ingest import SPANS_ORDER, SPANS_TABLE, Ingest
from spanloom.agents.state.clock import record_of, record_version, timestamp_of
from spanloom.kafka.topics import PROJECT_HEADER, REPLAY_HEADER, SPAN_FACTS
from spanloom.schemas import otlp_pb2
from spanloom.spans.folding import facts
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.stored.messages import messages
from tests.spans.reading.otlp_examples import request, span

THEN = 1_796_000_000_000
NOW = THEN + 10**7
INGEST = Ingest(1, Limits(), Prices(), now=lambda: NOW)

CALL = {"gen_ai.request.model": "mystery-1", "gen_ai.usage.input_tokens": 3, "gen_ai.operation.name": "chat"}


def record(
    value: bytes, offset: int, timestamp: int = NOW, headers: Mapping[str, bytes] | None = None
) -> SourceRecord:
    return SourceRecord("otlp_spans", 0, offset, timestamp, value, dict(headers or {}))


def rows(*records: SourceRecord) -> pa.Table:
    writes = INGEST.prepare(list(records))
    [(table, found)] = writes.rows
    assert table == SPANS_TABLE
    # Facts carry the same versions.
    sent = [
        fact.version
        for each in writes.messages[SPAN_FACTS]
        for _, some in facts.decode(each.value or b"")
        for fact in some
    ]
    assert sorted(sent) == sorted(found["version"].to_pylist())
    return found


def test_rows_come_in_the_order_of_their_table() -> None:
    ids = [(trace, number) for trace in (3, 1, 2) for number in (9, 1, 5)]
    sent = [span(CALL, trace_id=bytes([trace]) * 16, span_id=bytes([number]) * 8) for trace, number in ids]
    found = rows(record(request(*sent[:5]), 1), record(request(*sent[5:]), 2)).select(SPANS_ORDER).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        ("default", f"{trace:02x}" * 16, f"{number:02x}" * 8) for trace, number in sorted(ids)
    ]


def again(stored: pa.Table, offset: int, headers: Mapping[str, bytes]) -> SourceRecord:
    [message] = messages(stored, lambda *_: 0, lambda version: (record_of(version), timestamp_of(version)))
    return record(message.value, offset, headers={PROJECT_HEADER: message.project_id.encode(), **headers})


def test_a_replayed_row_is_just_above_the_row_it_was_read_from() -> None:
    stored = rows(record(request(span(CALL)), 70_000, THEN))
    assert stored["version"].to_pylist() == [record_version(THEN, 70_000)]
    replayed = rows(again(stored, 5, {REPLAY_HEADER: b"1"}))
    assert replayed["version"].to_pylist() == [record_version(THEN, 70_000) + 1]
    assert replayed.drop_columns("version") == stored.drop_columns("version")
    assert (
        rows(again(replayed, 9, {REPLAY_HEADER: b"1"}))["version"][0].as_py()
        == record_version(THEN, 70_000) + 2
    )
    # The record behind the one that was read is newer, however often that is replayed.
    assert record_version(THEN, 70_001) > record_version(THEN, 70_000) + 63


def test_without_the_header_it_is_a_live_span() -> None:
    stored = rows(record(request(span(CALL)), 7, THEN))
    assert rows(again(stored, 5, {}))["version"].to_pylist() == [record_version(NOW, 5)]


def test_what_a_span_says_of_its_row_may_be_anything() -> None:
    broken = otlp_pb2.ExportTraceServiceRequest.FromString(
        request(span(CALL), span(CALL, span_id=b"otherone"))
    )
    first, second = broken.resource_spans[0].scope_spans[0].spans
    first.stored = b"\xff\xff"
    second.stored = b""
    found = rows(record(broken.SerializeToString(), 3, headers={REPLAY_HEADER: b"1"}))
    assert found["version"].to_pylist() == [record_version(NOW, 3)] * 2


def test_spans_without_a_price_are_not_counted_again() -> None:
    def counted() -> float:
        samples = [sample for family in metrics.UNPRICED_SPANS.collect() for sample in family.samples]
        return sum(sample.value for sample in samples if sample.name.endswith("_total"))

    stored = rows(record(request(span(CALL)), 7, THEN, {PROJECT_HEADER: b"shop"}))
    before = counted()
    rows(again(stored, 5, {REPLAY_HEADER: b"1"}), record(request(span(CALL)), 6))
    assert counted() - before == 1  # the live one
    alone = counted()
    rows(again(stored, 8, {REPLAY_HEADER: b"1"}))
    assert counted() == alone
