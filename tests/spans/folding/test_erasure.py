"""Erasures travel among facts, and neither is taken for the other."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError

from spanloom.agents.state.clock import record_version
from spanloom.schemas.facts_pb2 import Erasure, SpanFacts
from spanloom.spans.folding import erasure
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.erasure import TRACES_A_RECORD, Erased, ForgottenSpan
from spanloom.spans.folding.facts import TraceKey
from tests.spans.examples import KEY, START, call, fact

KEYS = [TraceKey("shop", number.to_bytes(16)) for number in range(TRACES_A_RECORD + 1)]


def test_traces_come_out_as_they_went_in() -> None:
    messages = list(erasure.encode(KEYS, 7))
    assert [len(erasure.decode(message)) for message in messages] == [TRACES_A_RECORD, 1]
    found = [one for message in messages for one in erasure.decode_either(message)]
    assert found == [(key, Erased(7)) for key in KEYS]
    assert erasure.traces_in(messages[1]) == [(KEYS[-1], 0)]


def test_facts_are_no_erasure() -> None:
    message = facts_codec.encode_traces({KEY: [fact(1), call(2)]})
    assert not erasure.is_erasure(message)
    assert erasure.decode_either(message) == facts_codec.decode(message)
    assert erasure.traces_in(message) == facts_codec.traces_in(message)


@pytest.mark.parametrize("trace_id", [b"", b"short", bytes(17)])
def test_a_strangers_ids_are_refused(trace_id: bytes) -> None:
    message = SpanFacts(erasure=Erasure(project_id="shop", trace_id=[trace_id])).SerializeToString()
    with pytest.raises((DecodeError, ValueError)):
        erasure.decode_either(message)


@pytest.mark.parametrize(
    ("timestamp", "is_forgotten"), [(1_795_000_000_000, True), (1_795_000_000_001, False)]
)
@pytest.mark.parametrize("offset", [0, 1, 2**16 - 1, 2**40])
def test_spans_up_to_the_end_of_a_millisecond_are_forgotten(
    timestamp: int, is_forgotten: bool, offset: int
) -> None:
    version = erasure.erased_up_to(1_795_000_000_000)
    assert (record_version(timestamp, offset) <= version) == is_forgotten
    assert record_version(timestamp, offset) != version
    assert erasure.time_of(version) == 1_795_000_000_000


def test_a_row_of_a_forgotten_span_has_no_text() -> None:
    table = erasure.forgotten_table([ForgottenSpan(KEY, 10, START, 7)])
    [row] = table.drop_columns(["start_time"]).to_pylist()
    assert row == {
        "project_id": "default",
        "trace_id": KEY.trace_id.hex(),
        "span_id": "000000000000000a",
        "version": 7,
        "is_deleted": 1,
    }
