"""How the spans of a trace were sent does not matter: in one message, each alone, in any parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.trace.fold import Trace, fold
from tests.spans.reading.otlp_examples import START, read, request, span

_INPUTS = (
    "",
    "{}",
    "What now?",
    '{"question": "What now?"}',
    '{"n": 1}',
    '[{"role": "user", "content": "What now?"}]',
)
_OUTPUTS = (
    "",
    "{}",
    "This.",
    '{"answer": "This."}',
    '{"n": 2}',
    '[{"role": "assistant", "content": "This."}]',
)
_KINDS = ("LLM", "TOOL", "AGENT", "CHAIN", "RETRIEVER", "")


@st.composite
def trees(draw: st.DrawFn) -> list[Span]:
    """Spans each of which lies below an earlier one, or below one that never comes, and records whatever it likes."""
    spans = []
    for number in range(1, draw(st.integers(1, 7)) + 1):
        parent = draw(st.integers(0, number - 1) | st.just(99))
        name = draw(st.sampled_from(["turn", "step"]))
        attributes = {
            "openinference.span.kind": draw(st.sampled_from(_KINDS)),
            "input.value": draw(st.sampled_from(_INPUTS)),
            "output.value": draw(st.sampled_from(_OUTPUTS)).replace(
                "This", draw(st.sampled_from(["This", "That"]))
            ),
        }
        given = span(
            {key: text for key, text in attributes.items() if text},
            span_id=bytes(7) + bytes([number]),
            parent_span_id=bytes(7) + bytes([parent]) if parent else b"",
            name=name,
            start_time_unix_nano=START + number,
        )
        given.status.code = draw(st.sampled_from([0, 2]))  # type: ignore[assignment]
        spans.append(given)
    return spans


def trace_of(messages: Iterable[Sequence[Span]]) -> Trace:
    table = read(*(request(*spans) for spans in messages if spans)).table
    table = table.append_column("version", pa.array(np.ones(table.num_rows, np.uint64)))
    [(key, facts)] = facts_codec.facts_of(table)
    return fold(key, facts)


@settings(max_examples=int(os.environ.get("TEST_EXAMPLES", "40")) * 25)
@given(trees(), st.data())
def test_how_spans_are_sent_does_not_matter(tree: list[Span], data: st.DataObject) -> None:
    whole = trace_of([tree])
    assert trace_of([one] for one in tree) == whole
    part_of = [data.draw(st.integers(0, 2)) for _ in tree]
    assert (
        trace_of([one for one, its in zip(tree, part_of, strict=True) if its == part] for part in range(3))
        == whole
    )


@pytest.mark.parametrize("apart", [False, True], ids=["one message", "two"])
@pytest.mark.parametrize("nothing", ["{}", "[ ]", "null", '""'])
def test_json_of_nothing_is_nothing(nothing: str, *, apart: bool) -> None:
    chain = {"openinference.span.kind": "CHAIN"}
    root = span(chain | {"input.value": nothing, "output.value": nothing}, span_id=b"\1" * 8)
    inside = span(
        chain | {"input.value": "What now?", "output.value": "This."},
        span_id=b"\2" * 8,
        parent_span_id=b"\1" * 8,
    )
    found = trace_of([[root], [inside]] if apart else [[root, inside]])
    assert (found.input, found.output) == ("What now?", "This.")
    alone = trace_of([[root]])
    assert (alone.input, alone.output) == ("", "")
