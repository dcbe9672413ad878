from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.schemas.facts_pb2 import SpanFacts
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.facts import MESSAGE_BYTES, Fact, TraceKey, partition_of
from tests.spans.examples import KEY, fact, traces


@given(traces())
def test_facts_travel_unchanged(facts: list[Fact]) -> None:
    [message] = facts_codec.encode_trace(KEY, facts)
    assert facts_codec.decode(message) == [(KEY, facts)]


def test_a_large_trace_travels_in_several_messages_below_the_limit() -> None:
    facts = [fact(span, input_preview="🙏" * 4096, output_preview="x" * 4096) for span in range(1, 200)]
    messages = facts_codec.encode_trace(KEY, facts)
    assert len(messages) > 1
    assert max(map(len, messages)) <= MESSAGE_BYTES
    decoded = [some for message in messages for _, some in facts_codec.decode(message)]
    assert [one for some in decoded for one in some] == facts


@given(st.lists(traces(4), min_size=1, max_size=4))
def test_one_trace_of_a_message_is_read_alone(some: list[list[Fact]]) -> None:
    keys = [TraceKey("default", number.to_bytes(16)) for number in range(len(some))]
    message = facts_codec.encode_traces(dict(zip(keys, some, strict=True)))
    for key, facts in zip(keys, some, strict=True):
        assert facts_codec.decode_one(message, key) == facts
    assert facts_codec.decode_one(message, TraceKey("another", keys[0].trace_id)) == []
    latest = [max(fact.start_time for fact in facts) for facts in some]
    assert facts_codec.traces_in(message) == list(zip(keys, latest, strict=True))


def test_columns_that_say_they_are_huge_are_not_unpacked() -> None:
    [message] = facts_codec.encode_trace(KEY, [fact(1)])
    head = SpanFacts.FromString(message)
    for size in (head.columns_size - 1, head.columns_size + 1, 2**32 - 1):
        head.columns_size = size
        with pytest.raises(ValueError, match=r"packed|larger"):
            facts_codec.decode(head.SerializeToString())


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"garbage", b"\x0a\x05abc"])
def test_what_is_no_message_of_facts_raises(garbage: bytes) -> None:
    with pytest.raises(Exception, match=r".*"):
        facts_codec.decode(garbage + b"\x00")


@pytest.mark.parametrize("counts", [[1], [3], [1, 2], [2, 1], []])
def test_counts_that_are_not_those_of_the_spans_raise(counts: list[int]) -> None:
    [message] = facts_codec.encode_trace(KEY, [fact(1), fact(2)])
    columns = SpanFacts.FromString(message)
    del columns.trace_span_count[:]
    columns.trace_span_count.extend(counts)
    with pytest.raises(ValueError, match="out of range"):
        facts_codec.decode(columns.SerializeToString())


@given(st.integers(1, 64), st.text(max_size=5), st.binary(min_size=16, max_size=16))
def test_a_key_always_has_the_same_partition(partitions: int, project: str, trace_id: bytes) -> None:
    key = TraceKey(project, trace_id)
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, partitions) == partition_of(TraceKey(project, bytes(trace_id)), partitions)


def test_trace_ids_that_share_their_first_bytes_are_spread() -> None:
    prefix = bytes(12)
    counts = Counter(partition_of(TraceKey("p", prefix + n.to_bytes(4)), 8) for n in range(8000))
    assert min(counts.values()) > 800
