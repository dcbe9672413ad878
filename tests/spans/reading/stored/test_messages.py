"""A row that is sent and read again by the same rules is the same row."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings

from spanloom.schemas.otlp_pb2 import ExportTraceServiceRequest
from spanloom.spans.folding.facts import facts_of
from spanloom.spans.folding.trace.fold import fold
from spanloom.spans.limits import Limits
from spanloom.spans.reading.stored.messages import MESSAGE_BYTES, messages
from tests.captures_truth import Capture, captures
from tests.fuzz.strategies import requests
from tests.spans.reading.otlp_examples import event, request, span
from tests.spans.reading.stored.rereading import WRITTEN, differences, replayed, stored

REPORTS = sorted((Path(__file__).parents[3] / "reports").glob("*/*.otlp.pb"))


def traces(rows: pa.Table) -> list[object]:
    return [fold(key, [fact._replace(version=1) for fact in facts]) for key, facts in facts_of(rows)]


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_a_recording(capture: Capture) -> None:
    rows = stored(capture.messages)
    again = replayed(rows)
    assert differences(rows, again) == []
    assert [one + 1 for one in rows["version"].to_pylist()] == again["version"].to_pylist()


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_a_report(path: Path) -> None:
    rows = stored([path.read_bytes()])
    assert differences(rows, replayed(rows)) == []


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_recordings_that_are_sent_span_by_span_stay_the_same_traces(capture: Capture) -> None:
    rows = stored(capture.messages)
    # Whoever reads all spans of a trace together finds the same in it.
    together = rows.set_column(
        rows.schema.names.index("version"), "version", pa.array([1 << 22] * len(rows), pa.uint64())
    )
    assert traces(rows) == traces(replayed(together.cast(rows.schema)))


CUTTING = Limits(text=100, value=64, name=64, attributes=16, events=2, event_attributes=2, resource=60)


@pytest.mark.parametrize("limits", [Limits(), CUTTING], ids=["whole", "cut"])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=requests())
def test_whatever_was_sent_and_whatever_was_cut(limits: Limits, value: bytes) -> None:
    found = ExportTraceServiceRequest.FromString(value)
    spans = [span for each in found.resource_spans for scope in each.scope_spans for span in scope.spans]
    # Of a span that stands twice in a record only one is stored, and the other may have spoken for the trace.
    assume(len({(each.trace_id, each.span_id) for each in spans}) == len(spans))
    rows = stored([value], limits, rejects=True)
    assert differences(rows, replayed(rows, limits=limits)) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_once_more_changes_nothing(value: bytes) -> None:
    once = replayed(stored([value], CUTTING, rejects=True), limits=CUTTING)
    assert differences(once, replayed(once, limits=CUTTING)) == []


def test_no_start_and_no_time_at_all() -> None:
    spans = [
        span({}, span_id=bytes([1] * 8), start_time_unix_nano=0),
        span({}, span_id=bytes([2] * 8), start_time_unix_nano=0, end_time_unix_nano=0),
        span({}, span_id=bytes([3] * 8), start_time_unix_nano=2**63, end_time_unix_nano=2**64 - 1),
    ]
    rows = stored([request(*spans)])
    assert rows["start_time"].cast(pa.int64())[1].as_py() == WRITTEN * 1_000_000
    assert differences(rows, replayed(rows)) == []


def test_a_first_token_after_the_last_time_that_rows_hold_is_none() -> None:
    late = {"start_time_unix_nano": 2**63 - 1, "end_time_unix_nano": 2**64 - 1}
    rows = stored([request(span({"ai.response.msToFirstChunk": 1}, **late))])
    assert differences(rows, replayed(rows)) == []


def test_a_status_and_events() -> None:
    failed = event("exception", {"exception.type": "Timeout", "exception.message": "too slow", "n": 7})
    spans = [
        span({}, span_id=bytes([1] * 8), events=[failed]),
        span({}, span_id=bytes([2] * 8), status={"code": 1}),
        span({}, span_id=bytes([3] * 8), status={"code": 2, "message": "broken"}),
        span({"a": 1.5, "b": [1, "x"], "c": {"d": True}, "e": None, "f": b"\0"}, span_id=bytes([4] * 8)),
    ]
    rows = stored([request(*spans)])
    assert rows["status"].to_pylist() == ["error", "ok", "error", "unset"]
    assert differences(rows, replayed(rows)) == []


def test_messages_stay_small_and_each_of_one_partition_and_project() -> None:
    calls = [
        span(
            {"input.value": str(number) * 40_000}, trace_id=bytes([number] * 16), span_id=bytes([number] * 8)
        )
        for number in range(1, 60)
    ]
    rows = pa.concat_tables([stored([request(*calls)], project=name) for name in ("a", "b")])
    sent = list(messages(rows, lambda _, trace: int(trace[:2], 16) % 3, lambda version: (version, 1)))
    assert all(len(each.value) < MESSAGE_BYTES * 1.1 for each in sent)
    assert {(each.project_id, each.partition) for each in sent} == {(p, n) for p in "ab" for n in range(3)}
    assert sum(each.spans for each in sent) == 2 * len(calls)
    for each in sent:
        found = ExportTraceServiceRequest.FromString(each.value)
        ids = [s.trace_id for r in found.resource_spans for sc in r.scope_spans for s in sc.spans]
        assert len(ids) == each.spans
        assert {one[0] % 3 for one in ids} == {each.partition}
